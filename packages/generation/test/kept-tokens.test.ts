import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { createTokenSieve, sieveTokens } from '../src/kept-tokens.ts'
import { createRowScan, scanRow } from '../src/logits-row.ts'
import { checkSampling, type Sampling } from '../src/sampling.ts'
import { keptBySorting } from './slow/truncation.ts'

type SampleOptions = Omit<Extract<Sampling, { kind: 'sample' }>, 'kind'>

function kept(logits: ArrayLike<number>, options: SampleOptions): number[] {
  const row = Float32Array.from(logits)
  const sampling = checkSampling({ kind: 'sample', ...options })
  if (sampling.kind === 'greedy') throw new Error('temperature 0')
  const scan = createRowScan(row.length)
  scanRow(row, scan)
  const { tokens, count } = sieveTokens(createTokenSieve(row.length), row, scan, sampling)
  return Array.from(tokens.subarray(0, count))
}

const logOf = (probabilities: readonly number[]) => probabilities.map(Math.log)

test('top-k keeps the k largest, and those equal to the k-th', () => {
  expect(kept([1, 4, 2, 3], { topK: 2 })).toEqual([1, 3])
  expect(kept([1, 4, 3, 3], { topK: 2 })).toEqual([1, 2, 3])
  expect(kept([1, 4, 3, 3], { topK: 9 })).toEqual([0, 1, 2, 3])
})

test('top-p keeps the token that reaches the probability, and nothing after it', () => {
  const logits = logOf([0.1, 0.5, 0.15, 0.25])
  expect(kept(logits, { topP: 0.4 })).toEqual([1])
  expect(kept(logits, { topP: 0.6 })).toEqual([1, 3])
  expect(kept(logits, { topP: 0.8 })).toEqual([1, 2, 3])
  expect(kept(logits, { topP: 1e-9 })).toEqual([1])
})

test('top-p counts within what top-k kept', () => {
  // After top-k 2 the probabilities are 2/3 and 1/3.
  const logits = logOf([0.1, 0.5, 0.15, 0.25])
  expect(kept(logits, { topK: 2, topP: 0.65 })).toEqual([1])
  expect(kept(logits, { topK: 2, topP: 0.68 })).toEqual([1, 3])
})

test('top-p counts after the temperature', () => {
  // At temperature 0.5 the probabilities are squared and normalised: 0.25, 0.0625, 0.0225, 0.01 over 0.345.
  expect(kept(logOf([0.1, 0.5, 0.15, 0.25]), { temperature: 0.5, topP: 0.72 })).toEqual([1])
  expect(kept(logOf([0.1, 0.5, 0.15, 0.25]), { temperature: 1, topP: 0.72 })).toEqual([1, 3])
})

test('min-p keeps tokens with at least that fraction of the largest probability', () => {
  const logits = logOf([0.1, 0.5, 0.15, 0.25])
  expect(kept(logits, { minP: 0.25 })).toEqual([1, 2, 3])
  expect(kept(logits, { minP: 0.4 })).toEqual([1, 3])
  expect(kept(logits, { minP: 1 })).toEqual([1])
})

test('typical keeps what is nearest to the entropy, which need not be the most probable', () => {
  // Entropy 1.089; surprises 0.511, 1.609, 2.303, 2.303; their distances from it 0.578, 0.520, 1.214, 1.214.
  const logits = logOf([0.6, 0.2, 0.1, 0.1])
  expect(kept(logits, { typicalP: 0.19 })).toEqual([1])
  expect(kept(logits, { typicalP: 0.5 })).toEqual([0, 1])
  expect(kept(logits, { typicalP: 0.85 })).toEqual([0, 1, 2, 3])
})

test('a forbidden token is never kept', () => {
  const none = Number.NEGATIVE_INFINITY
  expect(kept([none, 1, none, 0], {})).toEqual([1, 3])
  expect(kept([none, 1, none, 0], { topK: 3 })).toEqual([1, 3])
  expect(kept([none, none, none, 0], { topP: 0.5, minP: 0.1, typicalP: 0.5 })).toEqual([3])
})

test.each([1e-300, 5e-324])('temperature %s keeps the best tokens alone', (temperature) => {
  expect(kept([1, 2, 2, 1.999], { temperature })).toEqual([1, 2])
})

test('an enormous temperature keeps everything', () => {
  expect(kept([1, 200, -3e38], { temperature: 1e308 })).toEqual([0, 1, 2])
})

test('random rows keep what sorting keeps, for all rules and their mixtures', () => {
  const random = randomStream({ seed: 11 })
  let index = 0
  const maybe = <T>(value: T) => (random.uniform(index++) < 0.5 ? value : undefined)
  for (let round = 0; round < 300; round++) {
    const vocab = 1 + random.below(round % 20 === 0 ? 9000 : 300, index++)
    const spread = [0.5, 8, 40][round % 3] ?? 1
    // A grain makes ties; probabilities that fall exactly on a limit are avoided by irrational limits.
    const grain = round % 2 === 0 ? 0.25 : 0
    const logits = Float32Array.from({ length: vocab }, () => {
      const x = random.uniform(index++) * spread
      return grain > 0 ? Math.round(x / grain) * grain : x
    })
    const options = {
      temperature: maybe(0.3 + random.uniform(index++) * 2),
      topK: maybe(1 + random.below(vocab, index++)),
      topP: maybe(0.05 + random.uniform(index++) * 0.94),
      minP: maybe(random.uniform(index++) * 0.3),
      typicalP: maybe(0.05 + random.uniform(index++) * 0.94),
    }
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    // Less likely than e^-60 of the best is documented as never.
    const max = Math.max(...logits)
    const expected = keptBySorting(logits, given).filter((token) => (max - (logits[token] ?? 0)) / (options.temperature ?? 1) < 60)
    expect(kept(logits, given), `round ${round}: ${JSON.stringify(given)}`).toEqual(expected)
  }
})
