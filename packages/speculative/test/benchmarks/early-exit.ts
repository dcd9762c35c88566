/**
 * How often the first layers of a model say what all of them say, and what that brings: `node --conditions=foretoken-source test/benchmarks/early-exit.ts
 * MODEL TOKENS LAYERS…`. For each number of layers a chain of four over eight prompts, greedy, with all tokens verified; with TOKENS above 0 the draft's
 * head gives logits of so many tokens alone, those that the outputs to other prompts used most.
 */
import { generateText } from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'
import { earlyExit, frequentTokens } from '../../src/index.ts'

const [model = '', head = '0', ...counts] = process.argv.slice(2)
const OTHERS = [
  'Write a short letter to a friend.',
  'Write a Python class for a bank account.',
  'List five facts about the sea.',
  'Qual é a capital do Brasil?',
]
const PROMPTS = {
  chat: 'Why is the sky blue?',
  story: 'Tell a short story about a lighthouse keeper.',
  code: 'Write a Python function that adds two numbers.',
  copy: 'Repeat this sentence, but with "sea" instead of "lamp": The keeper lit the old lamp before the ships came home.',
  JSON: 'Give a JSON object with the name, the age and the city of a person.',
  arithmetic: 'What is 12 times 7, plus 5? Show the steps.',
  Portuguese: 'Explique em português por que o céu é azul.',
  long: `${'The village lies by the sea. Its people fish and bake bread. '.repeat(20)}\nWhat do the people of the village do?`,
}

await using lm = await loadCausalLM(model)
const texts: number[][] = []
for (const content of Number(head) > 0 ? OTHERS : []) {
  const { ids } = await generateText(lm, { messages: [{ role: 'user', content }], maxNewTokens: 150 })
  texts.push([...ids])
}
const { vocab } = lm.config
const always = lm.generationDefaults.endOfText
const part = Number(head) > 0 ? { headTokens: frequentTokens(texts, { vocab, count: Number(head), always }) } : {}
for (const layers of counts.map(Number)) {
  await using draft = await loadCausalLM(model, { layers, selfTest: false, ...part })
  const speculate = earlyExit(draft, { leastConfidence: 0, draftTokens: 4 })
  let [tested, accepted, plainMs, draftedMs] = [0, 0, 0, 0]
  const lines: string[] = []
  for (const [kind, content] of Object.entries(PROMPTS)) {
    const all = { speculate: 'off' as const, messages: [{ role: 'user', content }], maxNewTokens: 48 }
    const plain = await generateText(lm, all)
    const drafted = await generateText(lm, { ...all, speculate })
    const { testedByDepth = [], acceptedByDepth = [], tokensPerStep = 0, draftMs = 0, stepMs = 0 } = drafted.statistics.speculation ?? {}
    tested += testedByDepth.reduce((sum, each) => sum + each, 0)
    accepted += acceptedByDepth.reduce((sum, each) => sum + each, 0)
    plainMs += plain.statistics.decodeMs
    draftedMs += drafted.statistics.decodeMs
    const same = drafted.ids.join() === plain.ids.join() ? '' : ', DIFFERENT IDS'
    const byDepth = testedByDepth.map((count, depth) => `${acceptedByDepth[depth] ?? 0}/${count}`).join(' ')
    lines.push(
      `  ${kind}: ${tokensPerStep.toFixed(2)} tokens a step, by depth ${byDepth}, drafting ${draftMs.toFixed(0)} of ${(draftMs + stepMs).toFixed(0)} ms${same}`,
    )
  }
  console.log(
    `${layers} layers: ${((100 * accepted) / tested).toFixed(1)} % of tested tokens accepted, ${(plainMs / draftedMs).toFixed(2)}x`,
  )
  console.log(lines.join('\n'))
}
