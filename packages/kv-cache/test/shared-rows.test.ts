import {
  canShareRows,
  createKvCache,
  type HeldRows,
  type KvCache,
  ownRows,
  type SharedRows,
  type StorageType,
  shareRows,
  sharesRows,
} from '@foretoken/kv-cache'
import { ArgumentError } from '@foretoken/tensor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bitsOf, distinctRows, LAYERS } from './row-fixtures.ts'

const BLOCK = 4

/** A cache whose rows come and go between pools, and the plain one that gets the same calls. */
interface Twins {
  readonly shared: KvCache
  readonly plain: KvCache
}

function twins(storage: StorageType): Twins {
  return { shared: createKvCache(LAYERS, { storage }), plain: createKvCache(LAYERS, { storage }) }
}

function appendTo({ shared, plain }: Twins, steps: number, seed: number, accepted?: readonly number[]): void {
  const rows = distinctRows(
    LAYERS,
    Array.from({ length: steps }, (_, row) => plain.nextPosition + row),
    seed,
  )
  shared.append(rows, accepted)
  plain.append(rows, accepted)
}

function filled(length: number, seed: number, storage: StorageType = 'float32'): Twins {
  const both = twins(storage)
  if (length > 0) appendTo(both, length, seed)
  return both
}

function expectSame({ shared, plain }: Twins): void {
  expect(shared.length).toBe(plain.length)
  expect(Array.from(shared.positions)).toEqual(Array.from(plain.positions))
  expect(shared.nextPosition).toBe(plain.nextPosition)
  for (let layer = 0; layer < LAYERS.length; layer++) {
    const from = plain.length >> 1
    for (const range of [[0, plain.length] as const, [from, plain.length] as const, [0, from] as const]) {
      expect(bitsOf(shared.view(layer, ...range).keys)).toEqual(bitsOf(plain.view(layer, ...range).keys))
      expect(bitsOf(shared.view(layer, ...range).values)).toEqual(bitsOf(plain.view(layer, ...range).values))
    }
  }
}

/** What a step would read of the slot, put together row by row. */
function expectSlot(rows: SharedRows, { shared, plain }: Twins): void {
  const slot = rows.slotOf(shared) ?? -1
  expect(slot).toBeGreaterThanOrEqual(0)
  const whole = plain.length - (plain.length % BLOCK)
  for (let layer = 0; layer < LAYERS.length; layer++) {
    const { kvHeads, keyDim, valueDim } = LAYERS[layer] ?? { kvHeads: 0, keyDim: 0, valueDim: 0 }
    const blocks = rows.blocks(layer, 0, whole)
    const tails = rows.tails(layer, plain.length - whole)
    const slotRows = (array: HeldRows['keys'], width: number) => {
      const found: number[] = []
      for (let at = slot * width; width > 0 && at < array.length; at += rows.slots * width)
        found.push(...heldBits(array.subarray(at, at + width)))
      return found
    }
    const own = plain.heldView(layer)
    expect([...slotRows(blocks.keys, kvHeads * keyDim), ...slotRows(tails.keys, kvHeads * keyDim)]).toEqual(heldBits(own.keys))
    expect([...slotRows(blocks.values, kvHeads * valueDim), ...slotRows(tails.values, kvHeads * valueDim)]).toEqual(heldBits(own.values))
  }
}

function heldBits(held: HeldRows['keys']): number[] {
  return held instanceof Float32Array ? bitsOf(held) : Array.from(held)
}

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('share' as const), who: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('step' as const), who: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), seed: fc.nat() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), who: fc.nat(), steps: fc.nat(11), seed: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('accept' as const), who: fc.nat(), picks: fc.uniqueArray(fc.nat(6)), seed: fc.nat() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), who: fc.nat(), to: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('gather' as const), who: fc.nat(), keep: fc.array(fc.boolean(), { maxLength: 40 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fork' as const), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('own' as const), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('new' as const), rows: fc.nat(10), seed: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dispose' as const), who: fc.nat() }) },
)

describe('caches that share a pool', () => {
  test.each(['float32', 'float16'] as const)('behave as caches of %s that do not, whatever is done to them', async (storage) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const all: Twins[] = [filled(3, 1, storage), filled(9, 2, storage), filled(0, 3, storage)]
        const chosen = (who: readonly number[]) =>
          [...new Set(who.map((each) => all[each % all.length] ?? all[0]))].flatMap((each) => each ?? [])
        for (const each of operations) {
          const one = 'who' in each && typeof each.who === 'number' ? all[each.who % all.length] : undefined
          switch (each.kind) {
            case 'share':
            case 'step': {
              const members = chosen(each.who)
              const rows = shareRows(
                members.map(({ shared }) => shared),
                BLOCK,
              )
              for (const member of members) expectSlot(rows, member)
              if (each.kind === 'step') for (const [index, member] of members.entries()) appendTo(member, 1, each.seed + index)
              break
            }
            case 'append':
              if (one !== undefined) appendTo(one, each.steps, each.seed)
              break
            case 'accept':
              if (one !== undefined) appendTo(one, 7, each.seed, each.picks)
              break
            case 'truncate': {
              const length = each.to % ((one?.plain.length ?? 0) + 1)
              one?.shared.truncate(length)
              one?.plain.truncate(length)
              break
            }
            case 'gather': {
              const kept = Array.from({ length: one?.plain.length ?? 0 }, (_, row) => row).filter((row) => each.keep[row] ?? true)
              one?.shared.gather(kept)
              one?.plain.gather(kept)
              break
            }
            case 'fork':
              if (one !== undefined) all.push({ shared: one.shared.fork(), plain: one.plain.fork() })
              break
            case 'own':
              if (one !== undefined) ownRows(one.shared)
              break
            case 'new':
              all.push(filled(each.rows, each.seed, storage))
              break
            case 'dispose':
              if (one !== undefined && all.length > 1) {
                await one.shared[Symbol.asyncDispose]()
                all.splice(all.indexOf(one), 1)
              }
              break
          }
          for (const both of all) expectSame(both)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('copy nothing when the same ones come again', () => {
    const both = [filled(5, 1), filled(9, 2)]
    const caches = both.map(({ shared }) => shared)
    const first = shareRows(caches, BLOCK).blocks(0, 0, 4).keys.buffer
    expect(shareRows(caches, BLOCK).blocks(0, 0, 4).keys.buffer).toBe(first)
    expect(shareRows(caches, BLOCK).slots).toBe(2)
  })

  test('count the bytes of the pool once', () => {
    const caches = [filled(5, 1), filled(9, 2)].map(({ shared }) => shared)
    const rows = shareRows(caches, BLOCK)
    // one region of 8 rows and one of 4, of 12 + 6 + 5 numbers in a row of keys and values
    const width = LAYERS.reduce((sum, { kvHeads, keyDim, valueDim }) => sum + kvHeads * (keyDim + valueDim), 0)
    expect(caches.reduce((sum, { bytes }) => sum + bytes, 0)).toBe((8 + 4) * rows.slots * width * 4)
  })

  test('leave finite numbers for those that come after them', async () => {
    const infinite = twins('float32')
    const rows = distinctRows(LAYERS, [0, 1, 2, 3, 4, 5], 1)
    infinite.shared.append({
      ...rows,
      layers: rows.layers.map(({ keys, values }) => ({ keys: keys.fill(Number.NaN), values: values.fill(Number.NaN) })),
    })
    const other = createKvCache(LAYERS)
    shareRows([infinite.shared, other], BLOCK)
    await infinite.shared[Symbol.asyncDispose]()
    const next = createKvCache(LAYERS)
    const shared = shareRows([other, next], BLOCK)
    expect(shared.slots).toBe(2)
    for (const view of [shared.blocks(0, 0, 4), shared.tails(0, 2)]) {
      expect([...view.keys, ...view.values].every(Number.isFinite)).toBe(true)
    }
  })

  test('put up with one that stays away for a while, and go on without it after that', () => {
    const [here, away] = [filled(5, 1), filled(6, 2)]
    shareRows([here.shared, away.shared], BLOCK)
    let runs = 0
    while (shareRows([here.shared], BLOCK).slots === 2) runs++
    expect(runs).toBeGreaterThan(1)
    expect(runs).toBeLessThan(20)
    expect(sharesRows(away.shared)).toBe(false)
    expectSame(away)
    expectSame(here)
  })

  test('leave no slot behind when they are disposed of', async () => {
    const caches = [filled(5, 1), filled(6, 2), filled(7, 3)].map(({ shared }) => shared)
    shareRows(caches, BLOCK)
    await caches[1]?.[Symbol.asyncDispose]()
    const others = caches.filter((_, index) => index !== 1)
    let slots = 3
    for (let run = 0; run < 20; run++) slots = shareRows(others, BLOCK).slots
    expect(slots).toBe(2)
  })

  test('are distinct, and without states', () => {
    const cache = createKvCache(LAYERS)
    expect(() => shareRows([cache, cache], BLOCK)).toThrow(/a cache twice/)
    const recurrent = createKvCache([{ kvHeads: 0, keyDim: 0, valueDim: 0, recurrent: { inputWidth: 1, window: 1, stateSize: 1 } }])
    expect(canShareRows(recurrent)).toBe(false)
    expect(() => shareRows([cache, recurrent], BLOCK)).toThrow(ArgumentError)
  })

  test('hold their rows in one way', () => {
    const [full, half] = [createKvCache(LAYERS), createKvCache(LAYERS, { storage: 'float16' })]
    expect([full, half].every(canShareRows)).toBe(true)
    expect(() => shareRows([full, half], BLOCK)).toThrow(/float32 and float16/)
  })
})
