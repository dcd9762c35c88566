/** Every drafter on real graphs: ids and cache of plain decoding, bit for bit, in every format. Small random checkpoints, and SmolLM2. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createSampler,
  generateText,
  jsonSchemaConstraint,
  PrefixCache,
  type PromptInput,
  prefixProcessor,
  type SingleGenerationOptions,
} from '@foretoken/generation'
import { loadCausalLM, type WeightFormat } from '@foretoken/models'
import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { PROOF_DRAFTERS } from './proof-drafters.ts'

const fixtures = process.env.FORETOKEN_FIXTURES
const models = process.env.FORETOKEN_MODELS
const checkpoint = (name: string) => join(fixtures ?? '', 'checkpoints', name)

const even = prefixProcessor('even tokens after odd places', (logits, { tokens }) => {
  for (let token = 0; token < logits.length; token++) if ((token + tokens.length) % 2 === 1) logits[token] = Number.NEGATIVE_INFINITY
})

const OPTIONS: readonly SingleGenerationOptions[] = [
  {},
  { sampling: { kind: 'sample', temperature: 0.7, seed: 4 } },
  { sampling: { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 5 } },
  { repetitionPenalty: 1.1 },
  { processors: [even], sampling: { kind: 'sample', temperature: 0.7, topP: 0.9, seed: 6 } },
]

/** Eight beginnings: one that repeats itself, a count, one token over and over, none of it twice, and four at random. */
const PROMPTS: readonly (readonly number[])[] = [
  [165, 89, 225, 163, 150, 165, 89, 225, 163, 150, 7, 165, 89],
  [10, 11, 12, 13, 14, 15, 16, 10, 11, 12],
  [42, 42, 42, 42],
  [9, 3, 27, 81, 243, 6],
  ...[1, 2, 3, 4].map((seed) => Array.from({ length: 10 * seed }, (_, i) => randomStream({ seed }).below(256, i))),
]

test.skipIf(!fixtures).each(['f32', 'int8', 'int4', 'int8-rows'] satisfies WeightFormat[])(
  'llama in %s: ids, log-probabilities and rows of plain decoding for every drafter, greedy, sampled and constrained (needs FORETOKEN_FIXTURES)',
  async (format) => {
    await using lm = await loadCausalLM(checkpoint('llama'), { format })
    expect(lm.plan.exact).toBe(true)
    const accepted = new Map<string, number>()
    for (const [i, options] of OPTIONS.entries()) {
      for (const [j, tokens] of PROMPTS.entries()) {
        const all = { tokens, maxNewTokens: j === 0 ? 48 : 20, stopTokens: [], clock: () => 0, ...options }
        await using plainCache = new PrefixCache(lm)
        const plain = await generateText(lm, { ...all, cache: plainCache, speculate: 'off' })
        const plainRows = rowsOf(plainCache, lm, plain.ids.length + tokens.length)
        for (const [name, create] of Object.entries(PROOF_DRAFTERS)) {
          await using cache = new PrefixCache(lm)
          const drafted = await generateText(lm, { ...all, cache, speculate: create() })
          expect(drafted.ids, `${name}, options ${i}, prompt ${j}`).toEqual(plain.ids)
          expect(drafted.logProbabilities, `${name}, options ${i}, prompt ${j}`).toEqual(plain.logProbabilities)
          expect(rowsOf(cache, lm, drafted.ids.length + tokens.length)).toEqual(plainRows)
          accepted.set(name, (accepted.get(name) ?? 0) + (drafted.statistics.speculation?.accepted ?? 0))
        }
      }
    }
    for (const name of Object.keys(PROOF_DRAFTERS)) expect(accepted.get(name), name).toBeGreaterThan(0)
  },
  240_000,
)

/** The rows that a prefix cache holds, by lending them for a longer prompt and giving them back. */
function rowsOf(cache: PrefixCache, lm: Parameters<PrefixCache['lend']>[0], length: number) {
  const held = cache.tokens
  const loan = cache.lend(
    lm,
    Int32Array.from({ length: length + 1 }, (_, i) => held[i] ?? 0),
  )
  const { positions, rows } = loan.cache.snapshot()
  void loan.undo()
  expect(positions.length).toBe(length - 1)
  return { positions, rows }
}

test.skipIf(!fixtures)(
  'random trees, accepted and rejected at random, leave the rows of a plain prefill, and each node has the logits of its path',
  async () => {
    await using lm = await loadCausalLM(checkpoint('llama'), { format: 'int8-rows' })
    const { vocab } = lm.config
    const sampler = createSampler({ kind: 'greedy' }, vocab)
    for (let seed = 1; seed <= 4; seed++) {
      const random = randomStream({ seed })
      let index = 0
      await using cache = lm.createCache()
      const tokens: number[] = []
      while (tokens.length < 60) {
        const count = 1 + random.below(8, index++)
        const nodes = Int32Array.from({ length: count }, () => random.below(vocab, index++))
        const parents = Int32Array.from({ length: count }, (_, node) => (node === 0 ? -1 : random.below(node, index++)))
        const depths: number[] = []
        for (const parent of parents) depths.push(parent < 0 ? 0 : (depths[parent] ?? 0) + 1)
        const positions = Int32Array.from(depths, (depth) => cache.length + depth)
        const step = { tokens: nodes, positions, visibility: { kind: 'tree' as const, parents }, cache, want: { logits: 'all' as const } }
        const { rows, logits } = await lm.forward(step)
        const path: number[] = []
        for (let node = random.below(count, index++); node >= 0; node = parents[node] ?? -1) path.unshift(node)
        const last = path.at(-1) ?? 0
        const row = logits?.data.slice(last * vocab, (last + 1) * vocab) ?? new Float32Array(0)
        cache.append(rows, path)
        tokens.push(...path.map((node) => nodes[node] ?? 0))
        await using plain = lm.createCache()
        const whole = await lm.forward({ tokens: Int32Array.from(tokens), cache: plain, want: { logits: 'last' } })
        plain.append(whole.rows)
        expect(row).toEqual(whole.logits?.data)
        expect(sampler.choose(row, 0, 0)).toBe(sampler.choose(whole.logits?.data ?? row, 0, 0))
        expect(cache.snapshot()).toEqual(plain.snapshot())
      }
    }
  },
  60_000,
)

/** Six real prompts of the reference, as ids: text, code, a chat, Portuguese, sums, 600 tokens of a book. */
function referencePrompts(): Record<string, PromptInput> {
  const { prompts }: { prompts: Record<string, { ids: number[] }> } = JSON.parse(
    readFileSync(join(fixtures ?? '', 'smollm2-135m-instruct', 'prompts.json'), 'utf8'),
  )
  return Object.fromEntries(Object.entries(prompts).map(([name, { ids }]) => [name, { tokens: ids }]))
}

const SENTENCE = 'The lighthouse keeper climbed the stairs each evening and lit the old lamp before the ships came home.'
const OWN_PROMPTS: Record<string, PromptInput> = {
  copy: { messages: [{ role: 'user', content: `Repeat this sentence, but write "tower" instead of "lighthouse": ${SENTENCE}` }] },
  JSON: { messages: [{ role: 'user', content: 'Describe a person as a JSON object with the keys "name", "age" and "city".' }] },
}
const PERSON = jsonSchemaConstraint({
  type: 'object',
  properties: { name: { type: 'string', maxLength: 20 }, age: { type: 'integer' }, city: { type: 'string', maxLength: 20 } },
  required: ['name', 'age', 'city'],
})
const REAL_OPTIONS: Record<string, SingleGenerationOptions> = {
  greedy: {},
  'temperature 0.7, top-p 0.9, repetition penalty 1.1': {
    sampling: { kind: 'sample', temperature: 0.7, topP: 0.9, seed: 1 },
    repetitionPenalty: 1.1,
  },
  'temperature 1.2, a JSON schema': { sampling: { kind: 'sample', temperature: 1.2, seed: 2 }, constraint: PERSON },
}
/** The others are proven on the small checkpoint, and in the column `identical` of `pnpm bench speculation`. */
const REAL_DRAFTERS = ['auto', 'all in one tree']

test.skipIf(!models || !fixtures)(
  'SmolLM2: eight prompts of different kinds have the ids of plain decoding, greedy, sampled and constrained (needs FORETOKEN_MODELS and FORETOKEN_FIXTURES)',
  async () => {
    await using lm = await loadCausalLM(join(models ?? '', 'smollm2-135m-instruct-q4_1.gguf'))
    expect(lm.plan.exact).toBe(true)
    let accepted = 0
    for (const [kind, prompt] of Object.entries({ ...referencePrompts(), ...OWN_PROMPTS })) {
      await using cache = new PrefixCache(lm)
      for (const [name, options] of Object.entries(REAL_OPTIONS)) {
        // the prompt's rows are computed once
        const all = { ...prompt, maxNewTokens: 14, cache, clock: () => 0, ...options }
        const plain = await generateText(lm, { ...all, speculate: 'off' })
        for (const each of REAL_DRAFTERS) {
          const drafted = await generateText(lm, { ...all, speculate: PROOF_DRAFTERS[each]?.() ?? 'off' })
          expect(drafted.ids, `${each}, ${kind}, ${name}`).toEqual(plain.ids)
          accepted += drafted.statistics.speculation?.accepted ?? 0
        }
      }
    }
    expect(accepted).toBeGreaterThan(20)
  },
  300_000,
)
