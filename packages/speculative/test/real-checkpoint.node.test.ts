/** Every drafter on real graphs: ids and cache of plain decoding, bit for bit, in every format. Small random checkpoints, and SmolLM2. */
import { join } from 'node:path'
import {
  createSampler,
  type Drafter,
  generateText,
  PrefixCache,
  prefixProcessor,
  type SingleGenerationOptions,
} from '@foretoken/generation'
import { loadCausalLM, type WeightFormat } from '@foretoken/models'
import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { ngramPool, promptLookup, suffixDrafter, tokenRecycling, withBudget } from '../src/index.ts'

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

const drafters = (): readonly Drafter[] => [
  promptLookup({ shortest: 1 }),
  suffixDrafter({ shortest: 1 }),
  ngramPool(),
  tokenRecycling({ keep: true }),
  withBudget(suffixDrafter()),
  withBudget(tokenRecycling()),
]

test.skipIf(!fixtures).each(['f32', 'int8', 'int8-rows'] satisfies WeightFormat[])(
  'llama in %s: ids, log-probabilities and rows of plain decoding for every drafter, greedy, sampled and constrained (needs FORETOKEN_FIXTURES)',
  async (format) => {
    await using lm = await loadCausalLM(checkpoint('llama'), { format })
    expect(lm.plan.exact).toBe(true)
    const tokens = [165, 89, 225, 163, 150, 165, 89, 225, 163, 150, 7, 165, 89]
    let accepted = 0
    for (const options of OPTIONS) {
      const all = { tokens, maxNewTokens: 48, stopTokens: [], ...options }
      await using plainCache = new PrefixCache(lm)
      const plain = await generateText(lm, { ...all, cache: plainCache, speculate: 'off' })
      const plainRows = rowsOf(plainCache, lm, plain.ids.length + tokens.length)
      for (const speculate of drafters()) {
        await using cache = new PrefixCache(lm)
        const drafted = await generateText(lm, { ...all, cache, speculate })
        expect(drafted.ids).toEqual(plain.ids)
        expect(drafted.logProbabilities).toEqual(plain.logProbabilities)
        expect(rowsOf(cache, lm, drafted.ids.length + tokens.length)).toEqual(plainRows)
        accepted += drafted.statistics.speculation?.accepted ?? 0
      }
    }
    expect(accepted).toBeGreaterThan(0)
  },
  120_000,
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

test.skipIf(!models)(
  'SmolLM2: a copy, code and a chat have the ids of plain decoding, greedy and sampled (needs FORETOKEN_MODELS)',
  async () => {
    await using lm = await loadCausalLM(join(models ?? '', 'smollm2-135m-instruct-q4_1.gguf'))
    expect(lm.plan.exact).toBe(true)
    const sentence = 'The lighthouse keeper climbed the stairs each evening and lit the old lamp before the ships came home.'
    const contents = [`Repeat this sentence: ${sentence}`, 'Write a Python function that adds two numbers.', 'Why is the sky blue?']
    for (const [i, content] of contents.entries()) {
      const options: SingleGenerationOptions[] = [
        {},
        { sampling: { kind: 'sample', temperature: 0.7, topP: 0.9, seed: i }, repetitionPenalty: 1.1 },
      ]
      for (const option of options) {
        const all = { messages: [{ role: 'user', content }], maxNewTokens: 32, ...option }
        const plain = await generateText(lm, { ...all, speculate: 'off' })
        for (const speculate of [suffixDrafter(), tokenRecycling(), withBudget(suffixDrafter())]) {
          expect((await generateText(lm, { ...all, speculate })).ids).toEqual(plain.ids)
        }
      }
    }
  },
  180_000,
)
