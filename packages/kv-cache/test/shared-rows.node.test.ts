import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createKvCache, type KvCache, shareRows } from '@foretoken/kv-cache'
import { expect, test } from 'vitest'
import { distinctRows, LAYERS } from './row-fixtures.ts'

test('a cache that nobody holds any more gives its slot back, and its pool does not keep it', async () => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new TypeError('no garbage collector to call')
  const filled = (): KvCache => {
    const cache = createKvCache(LAYERS)
    cache.append(distinctRows(LAYERS, [0, 1, 2, 3, 4], 1))
    return cache
  }
  const kept = filled()
  const forgotten = new WeakRef(shareWithAnother(kept, filled))
  for (let round = 0; round < 20 && forgotten.deref() !== undefined; round++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    collect()
  }
  expect(forgotten.deref()).toBeUndefined()
  let slots = 2
  for (let run = 0; run < 10; run++) slots = shareRows([kept], 4).slots
  expect(slots).toBe(1)
})

function shareWithAnother(cache: KvCache, another: () => KvCache): KvCache {
  const other = another()
  shareRows([cache, other], 4)
  return other
}
