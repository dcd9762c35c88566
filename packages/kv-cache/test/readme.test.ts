// readme:start
import { createKvCache } from '@foretoken/kv-cache'

const layers = [{ kvHeads: 1, keyDim: 2, valueDim: 2 }]
const cache = createKvCache(layers, { maxCapacity: 2048 })

// Rows as a step of a model returns them: three of them, for a tree of draft tokens.
const rows = {
  steps: 3,
  positions: Int32Array.of(0, 1, 1),
  layers: [{ keys: Float32Array.of(1, 2, 3, 4, 5, 6), values: new Float32Array(6) }],
}
cache.append(rows, [0, 2]) // the accepted path; the other branch is forgotten
const { keys } = cache.view(0) // [1, 2, 5, 6], a view that a runtime reads in place

const fork = cache.fork() // shares the rows until one of the two writes
fork.truncate(1)
const saved = cache.snapshot() // plain data; restoreKvCache(saved) makes a cache of it
await cache[Symbol.asyncDispose]() // or `await using cache = …`

// readme:end
import { expect, test } from 'vitest'

test('the snippet of the README keeps an accepted path and forks without copying', () => {
  expect(Array.from(keys)).toEqual([1, 2, 5, 6])
  expect(fork.length).toBe(1)
  expect(Array.from(saved.positions)).toEqual([0, 1])
  expect(saved.rows).toEqual([{ keys: Float32Array.of(1, 2, 5, 6), values: new Float32Array(4) }])
})
