/** Recurrent layers behind the same cache: what was rejected or taken back leaves no trace, and what a state cannot do is refused. */
import { restoreKvCache } from '@foretoken/kv-cache'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CausalLM, type DecodeStep, loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'

const TOKENS = 240

const command = fc.oneof(
  fc.record({ kind: fc.constant('draft' as const), rows: fc.integer({ min: 1, max: 12 }), accepted: fc.nat(12) }),
  fc.record({ kind: fc.constant('tree' as const), rows: fc.integer({ min: 2, max: 8 }), choice: fc.nat() }),
  fc.record({ kind: fc.constant('prefill' as const), rows: fc.integer({ min: 30, max: 150 }) }),
  fc.record({ kind: fc.constant('back' as const), rows: fc.nat(40) }),
  fc.record({ kind: fc.constant('fork' as const) }),
)

describe.each(['mamba', 'mamba2'])('%s', (name) => {
  let lm: CausalLM
  beforeAll(async () => {
    lm = await loadCausalLM(await (await checkpointFixture(name)).open(), { format: 'f32', selfTest: false })
  })
  afterAll(() => lm[Symbol.asyncDispose]())

  const tokenAt = (index: number) => (index * 37 + (index >> 3)) % TOKENS

  test('after drafts accepted in part, trees, truncations and forks a step has the bits that it has after a plain prefill', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 10 }), async (commands) => {
        let cache = lm.createCache()
        let text: number[] = []
        let drawn = 0
        for (const each of commands) {
          if (each.kind === 'fork') {
            const fork = cache.fork()
            // what the original does from here on is nothing to the fork
            cache.append((await lm.forward({ tokens: Int32Array.of(1), cache, want: {} })).rows)
            cache = fork
          } else if (each.kind === 'back') {
            const length = cache.restorableLength(Math.max(0, text.length - each.rows))
            cache.truncate(length)
            text = text.slice(0, length)
          } else {
            const tokens = Array.from({ length: each.rows }, () => tokenAt(drawn++))
            let accepted = tokens.map((_, row) => row)
            let step: DecodeStep = { tokens: Int32Array.from(tokens), cache, want: {} }
            if (each.kind === 'draft') accepted = accepted.slice(0, each.accepted)
            if (each.kind === 'tree') {
              const parents = Int32Array.from(tokens, (_, row) => ((each.choice >> row) % (row + 1)) - 1)
              const depths: number[] = []
              for (const parent of parents) depths.push(parent < 0 ? 0 : (depths[parent] ?? 0) + 1)
              step = {
                ...step,
                visibility: { kind: 'tree', parents },
                positions: Int32Array.from(depths, (depth) => cache.nextPosition + depth),
              }
              accepted = []
              for (let row = each.choice % each.rows; row >= 0; row = parents[row] ?? -1) accepted.unshift(row)
            }
            cache.append((await lm.forward(step)).rows, accepted)
            text = [...text, ...accepted.map((row) => tokens[row] ?? 0)]
          }
        }
        const next = async (of: typeof cache) =>
          (await lm.forward({ tokens: Int32Array.of(7), cache: of, want: { logits: 'last' } })).logits?.data
        await using plain = lm.createCache()
        if (text.length > 0) plain.append((await lm.forward({ tokens: Int32Array.from(text), cache: plain, want: {} })).rows)
        expect(await next(cache)).toEqual(await next(plain))
      }),
      { numRuns: 25, seed: 20261124 },
    )
  })

  test('a step may have as many rows after any number of cached ones', async () => {
    await using cache = lm.createCache()
    expect(lm.maxSteps(cache)).toBe(256)
    cache.append((await lm.forward({ tokens: Int32Array.of(1, 2, 3), cache, want: {} })).rows)
    expect(lm.maxSteps(cache)).toBe(256)
  })

  test('a cache that was stored and read again goes on with the same bits', async () => {
    await using cache = lm.createCache()
    const first = await lm.forward({ tokens: Int32Array.from({ length: 20 }, (_, at) => tokenAt(at)), cache, want: {} })
    cache.append(first.rows, Int32Array.of(0, 1, 2))
    await using restored = restoreKvCache(structuredClone(cache.snapshot()))
    const step = { tokens: Int32Array.of(5, 6), want: { logits: 'all' as const } }
    expect((await lm.forward({ ...step, cache: restored })).logits?.data).toEqual((await lm.forward({ ...step, cache })).logits?.data)
  })

  test('the cache takes no more memory for a long text than for a short one', async () => {
    await using cache = lm.createCache()
    const bytes: number[] = []
    for (let at = 0; at < 40; at++) {
      cache.append((await lm.forward({ tokens: Int32Array.from({ length: 100 }, (_, row) => tokenAt(row)), cache, want: {} })).rows)
      bytes.push(cache.bytes)
    }
    expect(Math.max(...bytes.slice(20))).toBeLessThanOrEqual(Math.max(...bytes.slice(0, 20)))
    expect(lm.memory().cacheBytes).toBeGreaterThanOrEqual(cache.bytes)
  })

  test.each([
    ['blocks', { visibility: { kind: 'block', blocks: Int32Array.of(0, 0) } }, /visibility: found block.*blockVisibility/],
    ['a dense mask', { visibility: { kind: 'dense', visible: Uint8Array.of(1, 0, 1, 1) } }, /visibility: found dense.*blockVisibility/],
    ['attention scores', { want: { scores: 'all' } }, /want.scores.*attentionScores/],
    ['a parent after its child', { visibility: { kind: 'tree', parents: Int32Array.of(1, -1) } }, /parent 1 of row 0/],
  ] as const)('%s are refused before anything runs, and the capabilities say so', async (_, change, message) => {
    expect(lm.capabilities).toMatchObject({ treeVisibility: true, blockVisibility: false, attentionScores: false })
    await using cache = lm.createCache()
    const step: DecodeStep = { tokens: Int32Array.of(1, 2), cache, want: {}, ...change }
    await expect(lm.forward(step)).rejects.toMatchObject({ code: 'step', message: expect.stringMatching(message) })
  })
})

test('a cache of Mamba-2 is refused by Mamba', async () => {
  await using one = await loadCausalLM(await (await checkpointFixture('mamba')).open(), { format: 'f32', selfTest: false })
  await using other = await loadCausalLM(await (await checkpointFixture('mamba2')).open(), { format: 'f32', selfTest: false })
  await using cache = other.createCache()
  await expect(one.forward({ tokens: Int32Array.of(1), cache, want: {} })).rejects.toMatchObject({ code: 'step' })
})
