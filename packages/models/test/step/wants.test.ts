/** What a step returns, and who sees whom, against slow second ways of computing it. */
import { decodeToFloat32 } from '@foretoken/weights'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CausalLM, loadCausalLM } from '../../src/index.ts'
import { type CheckpointFixture, checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'

let fixture: CheckpointFixture
let lm: CausalLM
const tokens = Int32Array.of(5, 9, 200, 31, 7, 64)
beforeAll(async () => {
  fixture = await checkpointFixture('llama')
  lm = await loadCausalLM(await fixture.open(), { format: 'f32' })
})
afterAll(() => lm[Symbol.asyncDispose]())

async function allLogits(visibility?: Parameters<CausalLM['forward']>[0]['visibility'], positions?: Int32Array) {
  await using cache = lm.createCache()
  const step = { tokens, cache, want: { logits: 'all' as const } }
  const result = await lm.forward({ ...step, ...(visibility && { visibility }), ...(positions && { positions }) })
  return result.logits?.data ?? new Float32Array(0)
}

describe('visibility', () => {
  test('a lower triangle written out is the causal default', async () => {
    const visible = new Uint8Array(36)
    for (let row = 0; row < 6; row++) visible.fill(1, row * 6, row * 6 + row + 1)
    expect(await allLogits({ kind: 'dense', visible })).toEqual(await allLogits())
  })

  test('blocks of one row are causal, and a block sees both ways', async () => {
    expect(await allLogits({ kind: 'block', blocks: Int32Array.of(0, 1, 2, 3, 4, 5) })).toEqual(await allLogits())
    const visible = new Uint8Array(36)
    const blocks = [0, 0, 1, 1, 1, 2]
    for (let row = 0; row < 6; row++)
      for (let other = 0; other < 6; other++) if ((blocks[other] ?? 0) <= (blocks[row] ?? 0)) visible[row * 6 + other] = 1
    const blockwise = await allLogits({ kind: 'block', blocks: Int32Array.from(blocks) })
    expect(blockwise).toEqual(await allLogits({ kind: 'dense', visible }))
    expect(largestDifference(blockwise, await allLogits())).toBeGreaterThan(0.01)
  })

  test('a chain written as a tree is causal', async () => {
    expect(await allLogits({ kind: 'tree', parents: Int32Array.of(-1, 0, 1, 2, 3, 4) })).toEqual(await allLogits())
  })

  test('attention probabilities are zero exactly where a row sees nothing, and sum to one', async () => {
    await using cache = lm.createCache()
    const parents = Int32Array.of(-1, 0, 0, 1, 2, 4)
    const { scores = [] } = await lm.forward({ tokens, cache, visibility: { kind: 'tree', parents }, want: { scores: 'all' } })
    const sees = (row: number, other: number): boolean => row === other || (row >= 0 && sees(parents[row] ?? -1, other))
    for (const { data } of scores) {
      for (let line = 0; line < data.length / 6; line++) {
        const probabilities = data.subarray(line * 6, line * 6 + 6)
        expect(probabilities.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5)
        probabilities.forEach((each, other) => {
          expect(each > 0).toBe(sees(line % 6, other))
        })
      }
    }
  })
})

describe('outputs', () => {
  test('logits of chosen rows are those of all rows', async () => {
    await using cache = lm.createCache()
    const { logits } = await lm.forward({ tokens, cache, want: { logits: Int32Array.of(4, 1) } })
    const all = await allLogits()
    expect(logits?.dims).toEqual([2, 256])
    expect(logits?.data.slice(0, 256)).toEqual(all.slice(4 * 256, 5 * 256))
    expect(logits?.data.slice(256)).toEqual(all.slice(256, 512))
  })

  test('the top k of the graph are the k largest logits', async () => {
    await using cache = lm.createCache()
    const { topK, logits } = await lm.forward({ tokens, cache, want: { logits: 'all', topK: 5 } })
    for (let row = 0; row < 6; row++) {
      const scores = [...(logits?.data.subarray(row * 256, (row + 1) * 256) ?? [])]
      const sorted = scores.map((score, id) => ({ score, id })).sort((a, b) => b.score - a.score)
      expect([...(topK?.tokens.subarray(row * 5, row * 5 + 5) ?? [])]).toEqual(sorted.slice(0, 5).map(({ id }) => id))
      expect([...(topK?.values.subarray(row * 5, row * 5 + 5) ?? [])]).toEqual(sorted.slice(0, 5).map(({ score }) => score))
    }
  })

  test('a smaller k is served by the graph that is open', async () => {
    await using cache = lm.createCache()
    const { topK } = await lm.forward({ tokens, cache, want: { topK: 2 } })
    expect(topK?.tokens.length).toBe(2)
  })

  test('embeddings as input give the logits of their tokens', async () => {
    await using checkpoint = await fixture.open()
    const { store } = checkpoint.weights
    const table = decodeToFloat32(await store.read('model.embed_tokens.weight'))
    const embeddings = new Float32Array(6 * 64)
    tokens.forEach((token, row) => {
      embeddings.set(table.subarray(token * 64, token * 64 + 64), row * 64)
    })
    await using cache = lm.createCache()
    const { logits } = await lm.forward({ tokens: embeddings, cache, want: { logits: 'all' } })
    expect(largestDifference(logits?.data ?? [], await allLogits())).toBeLessThan(1e-5)
  })

  test('a step that wants nothing still returns its rows', async () => {
    await using cache = lm.createCache()
    const result = await lm.forward({ tokens, cache, want: {} })
    expect(Object.keys(result).sort()).toEqual(['elapsedMs', 'rows'])
    expect(result.rows.steps).toBe(6)
  })

  test('memory counts weights, graph and the rows of live caches', async () => {
    await using cache = lm.createCache()
    const before = lm.memory()
    cache.append((await lm.forward({ tokens, cache, want: {} })).rows)
    const after = lm.memory()
    expect(after.weightsBytes).toBeGreaterThan(400_000)
    expect(after.cacheBytes - before.cacheBytes).toBeGreaterThanOrEqual(6 * 2 * 2 * 2 * 16 * 4)
  })
})

describe('a cache with gaps', () => {
  test('rows that a policy removed are not attended to, and positions stay', async () => {
    await using cache = lm.createCache()
    cache.append((await lm.forward({ tokens, cache, want: {} })).rows)
    cache.gather([0, 3, 4, 5])
    expect([...cache.positions]).toEqual([0, 3, 4, 5])
    const { scores } = await lm.forward({ tokens: Int32Array.of(8), cache, want: { logits: 'last', scores: 'all' } })
    expect(scores?.[0]?.dims).toEqual([4, 1, 5])
    // the same, seen by a dense mask over all rows at once; layer 0 only, since deeper rows have seen the removed ones
    await using whole = lm.createCache()
    const visible = new Uint8Array(49)
    for (let row = 0; row < 7; row++) visible.fill(1, row * 7, row * 7 + row + 1)
    visible.set([0, 0], 6 * 7 + 1)
    const masked = await lm.forward({
      tokens: Int32Array.from([...tokens, 8]),
      cache: whole,
      visibility: { kind: 'dense', visible },
      want: { scores: 'all' },
    })
    for (let head = 0; head < 4; head++) {
      const row = masked.scores?.[0]?.data.subarray((head * 7 + 6) * 7, (head * 7 + 7) * 7) ?? []
      const kept = [0, 3, 4, 5, 6].map((column) => row[column] ?? 0)
      expect(largestDifference(scores?.[0]?.data.subarray(head * 5, head * 5 + 5) ?? [], kept)).toBeLessThan(1e-6)
    }
  })
})
