import { createSampler, createTokenRanking, gumbelNoise, noiseKey, type Sampling } from '@foretoken/generation'
import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { keptBySorting } from './slow/truncation.ts'

const OPTIONS: readonly Sampling[] = [
  { kind: 'greedy' },
  { kind: 'sample', temperature: 0.7, seed: 3 },
  { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 4 },
  { kind: 'sample', topK: 5, seed: 5 },
]

/** All kept tokens by their score, and each one's share, in plain sums over everything. */
function bySorting(logits: Float32Array, sampling: Sampling, position: number, most: number) {
  const max = Math.max(...logits)
  const scoreOf = (token: number) => {
    if (sampling.kind === 'greedy') return (logits[token] ?? 0) - max
    const { temperature = 1, seed = 0 } = sampling
    return ((logits[token] ?? 0) - max) / temperature + gumbelNoise(noiseKey(seed, 2, position), token)
  }
  const kept = sampling.kind === 'greedy' ? [...logits.keys()] : keptBySorting(logits, sampling)
  const sorted = kept.map((token) => ({ token, score: scoreOf(token) })).sort((a, b) => b.score - a.score || a.token - b.token)
  const temperature = sampling.kind === 'greedy' ? 1 : (sampling.temperature ?? 1)
  const sum = sorted.reduce(
    (total, { token, score }, rank) => total + Math.exp(rank < most ? score : ((logits[token] ?? 0) - max) / temperature),
    0,
  )
  return sorted.slice(0, most).map(({ token, score }) => ({ token, share: Math.exp(score) / sum }))
}

test.each(OPTIONS)('$kind: tokens in the order of their scores, with the softmax of these as shares', (sampling) => {
  const random = randomStream({ seed: 11 })
  let index = 0
  for (let position = 0; position < 200; position++) {
    const vocab = 2 + random.below(300, index++)
    const logits = Float32Array.from({ length: vocab }, () => random.uniform(index++) * 12)
    const most = 1 + random.below(12, index++)
    const { count, tokens, shares } = createTokenRanking(sampling, vocab, most).rank(logits, 2, position)
    const expected = bySorting(logits, sampling, position, most)
    expect(Array.from(tokens.subarray(0, count))).toEqual(expected.map(({ token }) => token))
    for (const [rank, { share }] of expected.entries()) expect(shares[rank]).toBeCloseTo(share, 10)
    expect(tokens[0]).toBe(createSampler(sampling, vocab).choose(logits, 2, position))
  }
})

test('forbidden tokens are not ranked, and a row without a token is refused', () => {
  const ranking = createTokenRanking({ kind: 'greedy' }, 4, 4)
  const { count, tokens } = ranking.rank(Float32Array.of(1, Number.NEGATIVE_INFINITY, 3, Number.NEGATIVE_INFINITY), 0, 0)
  expect(Array.from(tokens.subarray(0, count))).toEqual([2, 0])
  expect(() => ranking.rank(new Float32Array(4).fill(Number.NEGATIVE_INFINITY), 0, 0)).toThrow(
    expect.objectContaining({ code: 'processor' }),
  )
})
