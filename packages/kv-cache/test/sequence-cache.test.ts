import { createKvCache, type KvCache, type NewRows, restoreKvCache } from '@foretoken/kv-cache'
import { float16FromNumber, numberFromFloat16 } from '@foretoken/tensor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bitsOf, distinctRows, LAYERS } from './row-fixtures.ts'

/** The slow model: a row is its position and the bits of every layer's keys and values. */
interface ModelRow {
  readonly position: number
  readonly layers: readonly { readonly keys: number[]; readonly values: number[] }[]
}

function modelRows(rows: NewRows, storage: 'float32' | 'float16'): ModelRow[] {
  const held = (elements: Float32Array) =>
    bitsOf(storage === 'float32' ? elements : elements.map((value) => numberFromFloat16(float16FromNumber(value))))
  return Array.from({ length: rows.steps }, (_, s) => ({
    position: rows.positions[s] ?? -1,
    layers: rows.layers.map(({ keys, values }) => {
      const keyWidth = keys.length / rows.steps
      const valueWidth = values.length / rows.steps
      return {
        keys: held(keys.subarray(s * keyWidth, (s + 1) * keyWidth)),
        values: held(values.subarray(s * valueWidth, (s + 1) * valueWidth)),
      }
    }),
  }))
}

function expectSame(cache: KvCache, model: readonly ModelRow[]): void {
  expect(cache.length).toBe(model.length)
  expect(Array.from(cache.positions)).toEqual(model.map(({ position }) => position))
  expect(cache.nextPosition).toBe(model.reduce((next, { position }) => Math.max(next, position + 1), 0))
  for (let l = 0; l < LAYERS.length; l++) {
    const { keys, values } = cache.view(l)
    expect(bitsOf(keys)).toEqual(model.flatMap((row) => row.layers[l]?.keys ?? []))
    expect(bitsOf(values)).toEqual(model.flatMap((row) => row.layers[l]?.values ?? []))
  }
}

const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), who: fc.nat(), steps: fc.nat(9), seed: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('accept' as const),
      who: fc.nat(),
      steps: fc.nat(9),
      picks: fc.array(fc.nat(), { maxLength: 9 }),
      seed: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), who: fc.nat(), to: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('gather' as const), who: fc.nat(), keep: fc.array(fc.boolean(), { maxLength: 60 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fork' as const), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dispose' as const), who: fc.nat() }) },
)

describe('a cache and its forks', () => {
  test.each(['float32', 'float16'] as const)(
    'of %s hold bit for bit what a plain list of rows holds, after any sequence of operations',
    async (storage) => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 40 }), fc.integer({ min: 1, max: 8 }), async (operations, initialCapacity) => {
          const living: { cache: KvCache; model: ModelRow[] }[] = [
            { cache: createKvCache(LAYERS, { initialCapacity, storage }), model: [] },
          ]
          for (const step of operations) {
            const one = living[step.who % living.length]
            if (one === undefined) continue
            const { cache, model } = one
            switch (step.kind) {
              case 'append': {
                const rows = distinctRows(
                  LAYERS,
                  Array.from({ length: step.steps }, (_, s) => cache.nextPosition + s),
                  step.seed,
                )
                cache.append(rows)
                model.push(...modelRows(rows, storage))
                break
              }
              case 'accept': {
                const rows = distinctRows(
                  LAYERS,
                  Array.from({ length: step.steps }, (_, s) => cache.nextPosition + s),
                  step.seed,
                )
                const accepted = step.steps === 0 ? [] : [...new Set(step.picks.map((pick) => pick % step.steps))]
                cache.append(rows, accepted)
                const all = modelRows(rows, storage)
                for (const index of accepted) model.push(...all.slice(index, index + 1))
                break
              }
              case 'truncate': {
                const length = step.to % (model.length + 1)
                cache.truncate(length)
                model.length = length
                break
              }
              case 'gather': {
                const kept = model.flatMap((_, index) => (step.keep[index] === true ? [index] : []))
                cache.gather(kept)
                model.splice(0, model.length, ...kept.flatMap((index) => model.slice(index, index + 1)))
                break
              }
              case 'fork':
                if (living.length < 5) living.push({ cache: cache.fork(), model: [...model] })
                break
              case 'restore':
                one.cache = restoreKvCache(cache.snapshot(), { initialCapacity, storage })
                await cache[Symbol.asyncDispose]()
                break
              case 'dispose':
                if (living.length > 1) {
                  living.splice(step.who % living.length, 1)
                  await cache[Symbol.asyncDispose]()
                }
            }
            for (const { cache, model } of living) expectSame(cache, model)
          }
        }),
        { numRuns: 150 },
      )
    },
  )
})

describe('forks', () => {
  test('the first to append takes over the shared block, the second copies, and neither sees the other', () => {
    const first = createKvCache(LAYERS, { initialCapacity: 16 })
    first.append(distinctRows(LAYERS, [0, 1, 2], 1))
    const second = first.fork()
    const shared = first.bytes
    expect(second.bytes).toBe(0)
    second.append(distinctRows(LAYERS, [3], 2))
    expect(first.bytes + second.bytes).toBe(shared)
    first.append(distinctRows(LAYERS, [3], 3))
    expect(first.bytes + second.bytes).toBe(2 * shared)
    expect(bitsOf(first.view(0, 0, 3).keys)).toEqual(bitsOf(second.view(0, 0, 3).keys))
    expect(bitsOf(first.view(0, 3).keys)).not.toEqual(bitsOf(second.view(0, 3).keys))
  })

  test('a truncated fork that appends does not overwrite rows that the other still holds', () => {
    const first = createKvCache(LAYERS)
    first.append(distinctRows(LAYERS, [0, 1, 2], 1))
    const before = first.snapshot()
    const second = first.fork()
    second.truncate(1)
    second.append(distinctRows(LAYERS, [1, 2], 2))
    expect(first.snapshot()).toEqual(before)
  })

  test('gathering rows of one leaves the other as it was', () => {
    const first = createKvCache(LAYERS)
    first.append(distinctRows(LAYERS, [0, 1, 2, 3], 1))
    const before = first.snapshot()
    const second = first.fork()
    second.gather([0, 2, 3])
    expect(first.snapshot()).toEqual(before)
    expect(Array.from(second.positions)).toEqual([0, 2, 3])
  })

  test('outlive the cache they came from, and then own its memory', async () => {
    const first = createKvCache(LAYERS)
    first.append(distinctRows(LAYERS, [0, 1], 1))
    const rows = first.snapshot()
    const bytes = first.bytes
    const second = first.fork()
    await first[Symbol.asyncDispose]()
    expect(second.snapshot()).toEqual(rows)
    expect(second.bytes).toBe(bytes)
  })
})

describe('memory', () => {
  const rowBytes = 4 * LAYERS.reduce((sum, { kvHeads, keyDim, valueDim }) => sum + kvHeads * (keyDim + valueDim), 0)

  test('an empty cache holds none, and capacity doubles from the initial one', () => {
    const cache = createKvCache(LAYERS, { initialCapacity: 4 })
    const seen = [cache.bytes]
    for (let position = 0; position < 17; position++) {
      cache.append(distinctRows(LAYERS, [position], position))
      seen.push(cache.bytes)
    }
    expect(seen.map((bytes) => bytes / rowBytes)).toEqual([0, 4, 4, 4, 4, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 32])
  })

  test('a long cache grows by a quarter', () => {
    const cache = createKvCache(LAYERS, { initialCapacity: 1024 })
    const rowsAt = (positions: readonly number[]) => cache.append(distinctRows(LAYERS, positions, 1))
    rowsAt(Array.from({ length: 1024 }, (_, position) => position))
    rowsAt([1024])
    expect(cache.bytes / rowBytes).toBe(1280)
    rowsAt(Array.from({ length: 1000 }, (_, at) => 1025 + at))
    expect(cache.bytes / rowBytes).toBe(2500)
  })

  test('capacity never exceeds the cap, and one row more is refused and appends nothing', () => {
    const cache = createKvCache(LAYERS, { initialCapacity: 4, maxCapacity: 6 })
    cache.append(distinctRows(LAYERS, [0, 1, 2, 3, 4], 1))
    expect(cache.bytes / rowBytes).toBe(6)
    const before = cache.snapshot()
    expect(() => cache.append(distinctRows(LAYERS, [5, 6], 2))).toThrow(expect.objectContaining({ code: 'cache-capacity' }))
    expect(cache.snapshot()).toEqual(before)
    cache.append(distinctRows(LAYERS, [5, 6], 2), [1])
    expect(Array.from(cache.positions)).toEqual([0, 1, 2, 3, 4, 6])
  })

  test('views lie in plain array buffers, without a copy', () => {
    const cache = createKvCache(LAYERS)
    cache.append(distinctRows(LAYERS, [0, 1], 1))
    const once = cache.view(0)
    const again = cache.view(0, 1)
    expect(once.keys.buffer).toBe(again.keys.buffer)
    expect(once.keys.buffer).toBeInstanceOf(ArrayBuffer)
    expect(again.keys.byteOffset).toBe(6 * 4)
  })
})

describe('storage in float16', () => {
  test('takes half the memory, and its bits can be viewed in place', () => {
    const half = createKvCache(LAYERS, { storage: 'float16' })
    const full = createKvCache(LAYERS)
    const rows = distinctRows(LAYERS, [0, 1, 2], 1)
    half.append(rows)
    full.append(rows)
    expect(half.bytes * 2).toBe(full.bytes)
    const { keys, values } = half.heldView(0, 1)
    expect(keys.buffer).toBe(half.heldView(0).keys.buffer)
    expect(Array.from(keys)).toEqual(Array.from(full.view(0, 1).keys, float16FromNumber))
    expect(Array.from(values)).toEqual(Array.from(full.view(0, 1).values, float16FromNumber))
  })

  test('comes back from a snapshot unless another one is asked for', () => {
    const half = createKvCache(LAYERS, { storage: 'float16' })
    half.append(distinctRows(LAYERS, [0, 1, 2], 1))
    const restored = restoreKvCache(half.snapshot())
    expect(restored.storage).toBe('float16')
    expect(restored.heldView(1)).toEqual(half.heldView(1))
    expect(restoreKvCache(half.snapshot(), { storage: 'float32' }).view(1)).toEqual(half.view(1))
  })
})

describe('refused, and nothing changed', () => {
  const rows = distinctRows(LAYERS, [2, 3, 4], 2)
  const cases: readonly [string, string, (cache: KvCache) => void][] = [
    ['an accepted index past the last row', 'argument', (cache) => cache.append(rows, [0, 3])],
    ['a negative accepted index', 'argument', (cache) => cache.append(rows, [-1])],
    ['a fractional accepted index', 'argument', (cache) => cache.append(rows, [0.5])],
    ['an accepted index twice in a row', 'argument', (cache) => cache.append(rows, [1, 1])],
    ['an accepted index twice, apart', 'argument', (cache) => cache.append(rows, [0, 2, 1, 0])],
    ['fewer positions than steps', 'shape', (cache) => cache.append({ ...rows, steps: 2 })],
    ['a negative position', 'argument', (cache) => cache.append({ ...rows, positions: Int32Array.of(2, -1, 4) })],
    ['rows of too few layers', 'shape', (cache) => cache.append({ ...rows, layers: rows.layers.slice(1) })],
    [
      'keys of another width',
      'shape',
      (cache) => cache.append({ ...rows, layers: rows.layers.map(({ keys, values }) => ({ keys: keys.subarray(1), values })) }),
    ],
    ['truncation to more rows than there are', 'argument', (cache) => cache.truncate(3)],
    ['truncation to a negative length', 'argument', (cache) => cache.truncate(-1)],
    ['gathering a row twice', 'argument', (cache) => cache.gather([0, 0])],
    ['gathering in descending order', 'argument', (cache) => cache.gather([1, 0])],
    ['gathering a row that is not there', 'argument', (cache) => cache.gather([2])],
    ['a view past the end', 'argument', (cache) => cache.view(0, 0, 3)],
    ['a view of a layer that is not there', 'argument', (cache) => cache.view(LAYERS.length)],
  ]
  test.each(cases)('%s', (_, code, act) => {
    const cache = createKvCache(LAYERS)
    cache.append(distinctRows(LAYERS, [0, 1], 1))
    const before = cache.snapshot()
    expect(() => act(cache)).toThrow(expect.objectContaining({ code }))
    expect(cache.snapshot()).toEqual(before)
    expect(cache.nextPosition).toBe(2)
  })

  test.each([
    ['a fractional width', () => createKvCache([{ kvHeads: 1, keyDim: 1.5, valueDim: 1 }])],
    ['a negative number of heads', () => createKvCache([{ kvHeads: -1, keyDim: 1, valueDim: 1 }])],
    ['an initial capacity of zero', () => createKvCache(LAYERS, { initialCapacity: 0 })],
    ['a cap that is not a number', () => createKvCache(LAYERS, { maxCapacity: Number.NaN })],
  ])('a cache with %s', (_, create) => {
    expect(create).toThrow(expect.objectContaining({ code: 'argument' }))
  })

  test('a snapshot with a row missing', () => {
    const cache = createKvCache(LAYERS)
    cache.append(distinctRows(LAYERS, [0, 1], 1))
    const snapshot = cache.snapshot()
    expect(() => restoreKvCache({ ...snapshot, positions: snapshot.positions.subarray(1) })).toThrow(
      expect.objectContaining({ code: 'shape' }),
    )
  })
})

describe('disposal', () => {
  test('a second disposal does nothing, and every use after it is refused', async () => {
    const cache = createKvCache(LAYERS)
    cache.append(distinctRows(LAYERS, [0], 1))
    await cache[Symbol.asyncDispose]()
    await cache[Symbol.asyncDispose]()
    const uses: (() => unknown)[] = [
      () => cache.length,
      () => cache.positions,
      () => cache.nextPosition,
      () => cache.view(0),
      () => cache.append(distinctRows(LAYERS, [1], 1)),
      () => cache.truncate(0),
      () => cache.gather([]),
      () => cache.fork(),
      () => cache.snapshot(),
    ]
    expect(cache.bytes).toBe(0)
    for (const use of uses) expect(use).toThrow(expect.objectContaining({ code: 'disposed' }))
  })
})

describe('positions', () => {
  test('the next one follows the greatest held, also when a policy has removed rows between', () => {
    const cache = createKvCache(LAYERS)
    cache.append(distinctRows(LAYERS, [0, 1, 2, 3], 1))
    cache.gather([0, 3])
    expect(cache.nextPosition).toBe(4)
    cache.truncate(1)
    expect(cache.nextPosition).toBe(1)
    cache.truncate(0)
    expect(cache.nextPosition).toBe(0)
  })
})
