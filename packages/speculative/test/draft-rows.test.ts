/** Rows of a draft model after any sequence of acceptances: those of a cache that was filled in one go. */
import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { DraftRows } from '../src/draft-rows.ts'
import { hashModel } from './fakes/hash-model.ts'

const lm = hashModel({ vocab: 16, memory: 3 })

async function plainly(tokens: readonly number[]) {
  await using cache = lm.createCache()
  const { rows, logits } = await lm.forward({ tokens: Int32Array.from(tokens), cache, want: { logits: 'last' } })
  cache.append(rows)
  return { snapshot: cache.snapshot(), logits: logits?.data }
}

test('rows go back to what the tokens have in common and on from there, as if they had been computed at once (seeds 1 to 20)', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomStream({ seed })
    let index = 0
    let tokens = Array.from({ length: 1 + random.below(6, index++) }, () => random.below(16, index++))
    await using rows = new DraftRows(lm, { promptLength: tokens.length })
    for (let round = 0; round < 30; round++) {
      const logits = (await rows.follow(Int32Array.from(tokens))).slice()
      const expected = await plainly(tokens)
      expect(logits).toEqual(expected.logits)
      expect(rows.cache?.snapshot()).toEqual(expected.snapshot)
      const drafted = Array.from({ length: random.below(5, index++) }, () => random.below(16, index++))
      for (const token of drafted) await rows.extend(token)
      const accepted = drafted.slice(0, random.below(drafted.length + 1, index++))
      tokens = [...tokens, ...accepted, random.below(16, index++)]
    }
  }
})

test('a branch gives the logits of each node after its path, and leaves no row', async () => {
  await using rows = new DraftRows(lm, { promptLength: 3 })
  await rows.follow(Int32Array.of(3, 1, 4))
  const before = rows.cache?.snapshot()
  const logits = await rows.branch(Int32Array.of(5, 6, 7, 8), Int32Array.of(-1, 0, -1, 2), Int32Array.of(1, 3))
  expect(rows.cache?.snapshot()).toEqual(before)
  expect(logits.slice(0, 16)).toEqual((await plainly([3, 1, 4, 5, 6])).logits)
  expect(logits.slice(16)).toEqual((await plainly([3, 1, 4, 7, 8])).logits)
})

test('lent rows are copied and not computed', async () => {
  const target = hashModel({ vocab: 16, memory: 3 })
  await using lent = target.createCache()
  const tokens = Int32Array.of(2, 7, 1, 8, 2)
  lent.append((await target.forward({ tokens: tokens.subarray(0, 4), cache: lent, want: {} })).rows)
  const own = hashModel({ vocab: 16, memory: 3 })
  await using rows = new DraftRows(own, { promptLength: 3, lent })
  expect(await rows.follow(tokens)).toEqual((await plainly([...tokens])).logits)
  expect(own.steps).toEqual([1])
})

test('an abort rejects with its reason and leaves the rows usable', async () => {
  const controller = new AbortController()
  await using rows = new DraftRows(lm, { promptLength: 2, signal: controller.signal })
  await rows.follow(Int32Array.of(1, 2))
  controller.abort(new Error('enough'))
  await expect(rows.follow(Int32Array.of(1, 2, 3))).rejects.toThrow('enough')
  expect(rows.cache?.length).toBe(2)
})
