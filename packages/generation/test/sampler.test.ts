import { createSampler, gumbelNoise, noiseKey, type Sampling } from '@foretoken/generation'
import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { chiSquare, chiSquareLimit } from './slow/chi-square.ts'
import { keptBySorting, softmaxOf } from './slow/truncation.ts'

const PROBABILITIES = [0.4, 0.02, 0.25, 0.03, 0.1, 0.2]
const LOGITS = Float32Array.from(PROBABILITIES, Math.log)

function countsOf(sampling: Sampling, logits: Float32Array, draws: number): number[] {
  const sampler = createSampler(sampling, logits.length)
  const counts = new Array<number>(logits.length).fill(0)
  for (let position = 0; position < draws; position++) {
    const token = sampler.choose(logits, 0, position)
    counts[token] = (counts[token] ?? 0) + 1
  }
  return counts
}

test.each<[string, Sampling, (p: readonly number[]) => number[]]>([
  ['temperature 1', { kind: 'sample', seed: 1 }, (p) => [...p]],
  ['temperature 0.7', { kind: 'sample', temperature: 0.7, seed: 2 }, (p) => p.map((each) => each ** (1 / 0.7))],
  ['temperature 2', { kind: 'sample', temperature: 2, seed: 3 }, (p) => p.map(Math.sqrt)],
  ['top-k 3', { kind: 'sample', topK: 3, seed: 4 }, (p) => p.map((each) => (each >= 0.2 ? each : 0))],
  ['top-p 0.8', { kind: 'sample', topP: 0.8, seed: 5 }, (p) => p.map((each) => (each >= 0.2 ? each : 0))],
  ['min-p 0.2', { kind: 'sample', minP: 0.2, seed: 6 }, (p) => p.map((each) => (each >= 0.08 ? each : 0))],
])('%s draws with the exact probabilities (chi-square of 60,000 draws, error rate 1e-4)', (_, sampling, expected) => {
  const weights = expected(PROBABILITIES)
  const sum = weights.reduce((a, b) => a + b, 0)
  const counts = countsOf(sampling, LOGITS, 60_000)
  const possible = weights.flatMap((weight, i) => (weight > 0 ? [i] : []))
  expect(counts.filter((_count, i) => !possible.includes(i)).every((count) => count === 0)).toBe(true)
  const statistic = chiSquare(
    possible.map((i) => counts[i] ?? 0),
    possible.map((i) => (weights[i] ?? 0) / sum),
  )
  expect(statistic).toBeLessThan(chiSquareLimit(possible.length - 1))
})

test('a vocabulary of 500 tokens is drawn from uniformly (chi-square of 25,000 draws, error rate 1e-4)', () => {
  const counts = countsOf({ kind: 'sample', seed: 9 }, new Float32Array(500), 25_000)
  expect(chiSquare(counts, new Array(500).fill(1 / 500))).toBeLessThan(chiSquareLimit(499))
})

test('a wrong distribution is told from the right one (control of the chi-square test)', () => {
  const counts = countsOf({ kind: 'sample', temperature: 1.05, seed: 1 }, LOGITS, 60_000)
  expect(chiSquare(counts, PROBABILITIES)).toBeGreaterThan(chiSquareLimit(5))
})

test('the chosen token is the argmax of log p + noise over the kept tokens', () => {
  const random = randomStream({ seed: 5 })
  let index = 0
  for (let round = 0; round < 300; round++) {
    const vocab = 2 + random.below(500, index++)
    const logits = Float32Array.from({ length: vocab }, () => random.uniform(index++) * 12)
    const options = { temperature: 0.5 + random.uniform(index++), ...(round % 2 === 0 ? { topK: 1 + random.below(vocab, index++) } : {}) }
    const kept = keptBySorting(logits, options)
    const p = softmaxOf(kept.map((token) => (logits[token] ?? 0) / options.temperature))
    const key = noiseKey(round, 2, 33)
    const scores = kept.map((token, i) => Math.log(p[i] ?? 0) + gumbelNoise(key, token))
    const expected = kept[scores.indexOf(Math.max(...scores))]
    expect(createSampler({ kind: 'sample', seed: round, ...options }, vocab).choose(logits, 2, 33), `round ${round}`).toBe(expected)
  }
})

test('a choice does not depend on what the sampler chose before', () => {
  const sampler = createSampler({ kind: 'sample', topP: 0.9, seed: 3 }, LOGITS.length)
  const forward = [0, 1, 2, 3].map((position) => sampler.choose(LOGITS, 0, position))
  const backward = [3, 2, 1, 0].map((position) => sampler.choose(LOGITS, 0, position)).reverse()
  expect(backward).toEqual(forward)
})

test('the distribution is the one that is drawn from, normalised over the kept tokens', () => {
  const { tokens, probabilities } = createSampler({ kind: 'sample', topK: 3 }, LOGITS.length).distribution(LOGITS)
  expect(Array.from(tokens)).toEqual([0, 2, 5])
  const expected = [0.4 / 0.85, 0.25 / 0.85, 0.2 / 0.85]
  for (const [i, p] of probabilities.entries()) expect(p).toBeCloseTo(expected[i] ?? 0, 6)
})

test('greedy takes the lowest id among the largest logits, and its distribution is that token alone', () => {
  const sampler = createSampler({ kind: 'greedy' }, 4)
  const row = Float32Array.of(1, 3, 3, 0)
  expect(sampler.choose(row, 0, 0)).toBe(1)
  expect(sampler.distribution(row)).toEqual({ tokens: Int32Array.of(1), probabilities: Float64Array.of(1) })
})

test('temperature 0 is greedy', () => {
  expect(createSampler({ kind: 'sample', temperature: 0, topP: 0.5 }, 4).sampling).toEqual({ kind: 'greedy' })
})
