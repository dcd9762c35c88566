import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { createAdjacency } from '../src/adjacency.ts'

const VOCAB = 40
const randomRow = (seed: number) => Float32Array.from({ length: VOCAB }, (_, i) => randomStream({ seed }).below(1000, i) / 100)

/** The best of a row by sorting it, equal ones by their index, and how far they lie below the first. */
function bestOf(row: Float32Array, count: number) {
  const ids = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b).slice(0, count)
  return { ids, scores: ids.map((id) => Math.fround((row[id] ?? 0) - (row[ids[0] ?? 0] ?? 0))) }
}

test.each([1, 2, 3, 4, 5])(
  'the followers of a token and of its pair are the best of the row, with what they lie below the first (seed %i)',
  (seed) => {
    const adjacency = createAdjacency(VOCAB, 5, 8)
    const row = randomRow(seed)
    adjacency.learn(3, 4, row)
    const { ids, scores } = bestOf(row, 5)
    for (const [previous, isOfPair] of [
      [3, true],
      [9, false],
    ] as const) {
      const known = adjacency.after(previous, 4)
      expect([...known.followers]).toEqual(ids)
      expect([...known.scores]).toEqual(scores)
      expect(known.isOfPair).toBe(isOfPair)
    }
  },
)

test('the pair counts where it is known, the token alone elsewhere, and a row without a past teaches the token alone', () => {
  const adjacency = createAdjacency(VOCAB, 2, 8)
  adjacency.learn(1, 4, randomRow(1))
  adjacency.learn(2, 4, randomRow(2))
  expect([...adjacency.after(1, 4).followers]).toEqual(bestOf(randomRow(1), 2).ids)
  expect([...adjacency.after(7, 4).followers]).toEqual(bestOf(randomRow(2), 2).ids)
  adjacency.learn(-1, 6, randomRow(3))
  expect(adjacency.after(-1, 6).isOfPair).toBe(false)
  expect([...adjacency.after(-1, 6).followers]).toEqual(bestOf(randomRow(3), 2).ids)
  expect([...adjacency.after(1, 5).followers]).toEqual([-1, -1])
})

test('of pairs the oldest make room, and what is known of tokens stays', () => {
  const adjacency = createAdjacency(VOCAB, 2, 3)
  for (let token = 0; token < 5; token++) adjacency.learn(9, token, randomRow(token))
  expect([0, 1, 2, 3, 4].map((token) => adjacency.after(9, token).isOfPair)).toEqual([false, false, true, true, true])
  expect([...adjacency.after(9, 0).followers]).toEqual(bestOf(randomRow(0), 2).ids)
  expect([...adjacency.snapshot().bigrams.pairs]).toEqual([2, 3, 4].map((token) => 9 * VOCAB + token))
})

test('a rejected row teaches a token of which nothing is known, and no other', () => {
  const adjacency = createAdjacency(VOCAB, 2, 3)
  adjacency.learnUnknown(4, randomRow(1))
  adjacency.learnUnknown(4, randomRow(2))
  expect([...adjacency.after(0, 4).followers]).toEqual(bestOf(randomRow(1), 2).ids)
})

test('a follower that a text had becomes the first, and scores never rise above 0', () => {
  const adjacency = createAdjacency(VOCAB, 3, 3)
  for (const follower of [5, 6, 7, 5, 8]) adjacency.see(1, follower)
  const { followers, scores } = adjacency.after(0, 1)
  expect([...followers]).toEqual([8, 5, 7])
  expect(scores[0]).toBe(0)
  expect(Math.max(...scores.subarray(1))).toBeLessThan(0)
})

test('what was learned is the same after it was saved and loaded, also into fewer pairs, of which the latest stay', () => {
  const adjacency = createAdjacency(VOCAB, 2, 3)
  for (let token = 0; token < 5; token++) adjacency.learn(9, token, randomRow(token))
  const saved = adjacency.snapshot()
  const loaded = createAdjacency(VOCAB, 2, 3, saved)
  expect(loaded.snapshot()).toEqual(saved)
  expect([2, 3, 4].map((token) => createAdjacency(VOCAB, 2, 1, saved).after(9, token).isOfPair)).toEqual([false, false, true])
  expect(createAdjacency(VOCAB, 2, 0, saved).after(9, 4).isOfPair).toBe(false)
})

test('a snapshot that contradicts itself or is of another model is refused, with the field', () => {
  const adjacency = createAdjacency(VOCAB, 2, 3)
  adjacency.learn(1, 2, randomRow(1))
  const saved = adjacency.snapshot()
  const { bigrams } = saved
  for (const [wrong, message] of [
    [{ ...saved, vocab: 41 }, /adjacency.vocab/],
    [{ ...saved, width: 3 }, /adjacency.width/],
    [{ ...saved, followers: saved.followers.subarray(1) }, /adjacency.followers: found 79 ids/],
    [{ ...saved, followers: saved.followers.map(() => 40) }, /adjacency.followers: found 40/],
    [{ ...saved, scores: saved.scores.map(() => Number.NaN) }, /adjacency.scores: found NaN/],
    [{ ...saved, bigrams: { ...bigrams, scores: Float32Array.of(0, 1) } }, /bigrams.scores: found 1/],
    [{ ...saved, bigrams: { ...bigrams, pairs: Float64Array.of(0.5) } }, /bigrams.pairs: found 0.5/],
    [{ ...saved, bigrams: { ...bigrams, pairs: Float64Array.of(VOCAB * VOCAB) } }, /bigrams.pairs/],
  ] as const) {
    expect(() => createAdjacency(VOCAB, 2, 3, wrong)).toThrow(message)
  }
})
