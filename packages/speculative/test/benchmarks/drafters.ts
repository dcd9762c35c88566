/**
 * How much sooner each drafter is than plain decoding, side by side: `node --conditions=foretoken-source test/benchmarks/drafters.ts MODEL [rounds]`.
 * Every round runs all of them after one another; printed are the medians of the rounds, and whether the ids were those of plain decoding.
 */
import { type Drafter, generateText } from '@foretoken/generation'
import { loadCausalLM, measureStepTimes } from '@foretoken/models'
import { ngramPool, promptLookup, suffixDrafter, tokenRecycling, withBudget } from '../../src/index.ts'

const [model = '', rounds = '3'] = process.argv.slice(2)
const TEXT =
  'The lighthouse keeper climbed the stairs each evening and lit the old lamp before the ships came home. One night the lamp went out, and he walked down to the harbour with a lantern to guide the fishermen between the rocks. In the morning the village thanked him with bread, apples and a new coat.'
const CODE = `def add_prices(prices, tax):
    total = 0
    for price in prices:
        total += price
        if price > 100:
            total -= 5
    total = total * (1 + tax)
    print("total is", total)
    return total`
const PROMPTS = {
  copy: `Repeat this text word for word:\n${TEXT}`,
  code: `Rename the variable total to amount and return the whole code:\n\`\`\`python\n${CODE}\n\`\`\``,
  chat: 'Why is the sky blue?',
}

await using lm = await loadCausalLM(model)
const stepTimes = lm.plan.stepTimes ?? (await measureStepTimes(lm))
console.log(stepTimes.map(({ context, rows, stepMs }) => `${rows} rows after ${context}: ${stepMs.toFixed(1)} ms`).join(', '))
const drafters: Readonly<Record<string, Drafter>> = {
  'suffix, no budget': suffixDrafter(),
  suffix: withBudget(suffixDrafter(), { stepTimes }),
  'prompt lookup': withBudget(promptLookup(), { stepTimes }),
  'n-gram pool': withBudget(ngramPool(), { stepTimes }),
  'token recycling': withBudget(tokenRecycling({ nodes: 8 }), { stepTimes }),
}
for (const temperature of [0, 0.7]) {
  for (const [kind, content] of Object.entries(PROMPTS)) {
    const sampling = { kind: 'sample', temperature, topP: 0.9, seed: 1 } as const
    const all = { messages: [{ role: 'user', content }], maxNewTokens: 100, sampling }
    const plainTimes: number[] = []
    const times = new Map<string, number[]>()
    const notes = new Map<string, string>()
    let ids = ''
    for (let round = 0; round < Number(rounds); round++) {
      const plain = await generateText(lm, { ...all, speculate: 'off' })
      ids = plain.ids.join()
      plainTimes.push(plain.statistics.decodeMs)
      for (const [name, speculate] of Object.entries(drafters)) {
        const drafted = await generateText(lm, { ...all, speculate })
        times.set(name, [...(times.get(name) ?? []), drafted.statistics.decodeMs])
        const { tokensPerStep = 0, draftMs = 0, steps = 1 } = drafted.statistics.speculation ?? {}
        const sameness = drafted.ids.join() === ids ? '' : ', DIFFERENT IDS'
        notes.set(name, `${tokensPerStep.toFixed(2)} tokens a step, drafting ${(draftMs / steps).toFixed(2)} ms a step${sameness}`)
      }
    }
    const count = ids.split(',').length
    console.log(`${kind}, temperature ${temperature}: ${count} tokens, plain ${(median(plainTimes) / count).toFixed(1)} ms a token`)
    for (const [name, each] of times) console.log(`  ${name}: ${(median(plainTimes) / median(each)).toFixed(2)}x, ${notes.get(name)}`)
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
