import { score } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { fakeModel, hashModel, uniformModel } from './fakes/fake-model.ts'

test('under uniform logits each token has log-probability -log vocab, and perplexity is the vocabulary', async () => {
  const scored = await score(uniformModel({ vocab: 32 }), { tokens: [1, 2, 3, 4] })
  expect(Array.from(scored.logProbabilities)).toHaveLength(3)
  for (const each of scored.logProbabilities) expect(each).toBeCloseTo(-Math.log(32), 12)
  expect(scored.perplexity).toBeCloseTo(32, 10)
})

test('chunks do not change the scores', async () => {
  const tokens = Array.from({ length: 70 }, (_, i) => (i * 7) % 32)
  const whole = await score(hashModel({ vocab: 32 }), { tokens, topK: 3, rows: 100 })
  const cut = await score(hashModel({ vocab: 32, cut: 16 }), { tokens, topK: 3, rows: 7 })
  expect(cut).toEqual(whole)
})

test('the best tokens of every position come with their logits, best first and the lower id first among equals', async () => {
  const lm = fakeModel({ vocab: 4, logits: () => [1, 3, 3, 2] })
  const { top } = await score(lm, { tokens: [0, 1], topK: 3 })
  expect(Array.from(top?.tokens ?? [])).toEqual([1, 2, 3, 1, 2, 3])
  expect(Array.from(top?.logits ?? [])).toEqual([3, 3, 2, 3, 3, 2])
})
