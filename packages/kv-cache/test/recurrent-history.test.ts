/**
 * States against a slow second implementation: the state of a list of inputs is computed from the first on, each time. The recurrence is one
 * whose result depends on the order of rows and is exact in float32, so that any row lost, doubled or exchanged shows.
 */
import { CacheStateError, createKvCache, type KvCache, type LayerShape, type NewRows, restoreKvCache } from '@foretoken/kv-cache'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const WINDOW = 2
const RECENT = 8
const LAYERS: readonly LayerShape[] = [
  { kvHeads: 0, keyDim: 0, valueDim: 0, recurrent: { inputWidth: 2, window: WINDOW, stateSize: 3 } },
  { kvHeads: 1, keyDim: 2, valueDim: 1 },
  { kvHeads: 0, keyDim: 0, valueDim: 0, recurrent: { inputWidth: 1, window: 0, stateSize: 1 } },
]
const states = { recentRows: RECENT, olderStates: 3 }

const widthOf = (layer: number) => LAYERS[layer]?.recurrent?.inputWidth ?? 0
const sizeOf = (layer: number) => LAYERS[layer]?.recurrent?.stateSize ?? 0
const inputsOf = (layer: number, token: number) => Array.from({ length: widthOf(layer) }, (_, at) => token * 3 + layer + at + 1)

function after(state: readonly number[], inputs: readonly number[]): number[] {
  return state.map((value, at) => (value * 31 + (inputs[at % inputs.length] ?? 0) + at) % 65_536)
}
const stateOf = (layer: number, tokens: readonly number[]) =>
  tokens.reduce((state, token) => after(state, inputsOf(layer, token)), new Array<number>(sizeOf(layer)).fill(0))

/** What a step over the cache returns: states come from the cache's own view, not from the list of tokens. */
function step(cache: KvCache, tokens: readonly number[], isChain: boolean): NewRows {
  const layers = LAYERS.map(({ kvHeads, keyDim, valueDim, recurrent }, layer) => {
    const rows = { keys: new Float32Array(tokens.length * kvHeads * keyDim), values: new Float32Array(tokens.length * kvHeads * valueDim) }
    if (recurrent === undefined) return rows
    const { state, inputs, tail } = cache.recurrentView(layer)
    let before = Array.from(state)
    for (let row = 0; row < tail; row++) {
      const from = (recurrent.window + row) * recurrent.inputWidth
      before = after(before, Array.from(inputs.subarray(from, from + recurrent.inputWidth)))
    }
    const last = tokens.reduce((each, token) => after(each, inputsOf(layer, token)), before)
    return {
      ...rows,
      recurrent: {
        inputs: Float32Array.from(tokens.flatMap((token) => inputsOf(layer, token))),
        ...(tail > 0 ? { stateBefore: Float32Array.from(before) } : {}),
        ...(isChain ? { stateAfter: Float32Array.from(last) } : {}),
      },
    }
  })
  const { length, nextPosition } = cache
  return { steps: tokens.length, positions: Int32Array.from(tokens, (_, at) => nextPosition + at), past: length, layers }
}

/** The cache's state, its tail replayed, and its window are those of the tokens. */
function expectHeld(cache: KvCache, tokens: readonly number[]): void {
  expect(cache.length).toBe(tokens.length)
  for (const [layer, { recurrent }] of LAYERS.entries()) {
    if (recurrent === undefined) continue
    const { state, inputs, tail } = cache.recurrentView(layer)
    expect(Array.from(state)).toEqual(stateOf(layer, tokens.slice(0, tokens.length - tail)))
    const rows = Array.from({ length: recurrent.window + tail }, (_, at) => tokens.length - tail - recurrent.window + at)
    const expected = rows.flatMap((row) => (row < 0 ? new Array<number>(recurrent.inputWidth).fill(0) : inputsOf(layer, tokens[row] ?? 0)))
    expect(Array.from(inputs)).toEqual(expected)
  }
}

const command = fc.oneof(
  fc.record({ kind: fc.constant('chain' as const), rows: fc.integer({ min: 1, max: 40 }), accepted: fc.nat(40) }),
  fc.record({ kind: fc.constant('tree' as const), rows: fc.integer({ min: 1, max: 9 }), seed: fc.nat() }),
  fc.record({ kind: fc.constant('truncate' as const), back: fc.nat(60) }),
  fc.record({ kind: fc.constant('fork' as const) }),
  fc.record({ kind: fc.constant('snapshot' as const) }),
)

describe('the states of a cache', () => {
  test('are those of its rows, after any sequence of steps, rejections, truncations, forks and snapshots', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        let cache = createKvCache(LAYERS, { states })
        let tokens: number[] = []
        let token = 1
        const others: { cache: KvCache; tokens: readonly number[] }[] = []
        for (const each of commands) {
          if (each.kind === 'chain' || each.kind === 'tree') {
            const drawn = Array.from({ length: each.rows }, () => token++ % 997)
            const accepted =
              each.kind === 'chain'
                ? drawn.map((_, row) => row).slice(0, each.accepted)
                : drawn.flatMap((_, row) => ((each.seed >> row) % 2 === 0 ? [row] : []))
            cache.append(step(cache, drawn, each.kind === 'chain'), accepted)
            tokens = [...tokens, ...accepted.map((row) => drawn[row] ?? 0)]
          } else if (each.kind === 'truncate') {
            const wanted = Math.max(0, tokens.length - each.back)
            const length = cache.restorableLength(wanted)
            expect(length).toBeLessThanOrEqual(wanted)
            if (length < wanted) expect(() => cache.truncate(wanted)).toThrow(CacheStateError)
            expectHeld(cache, tokens)
            cache.truncate(length)
            tokens = tokens.slice(0, length)
          } else if (each.kind === 'fork') {
            others.push({ cache, tokens })
            cache = cache.fork()
          } else {
            others.push({ cache, tokens })
            cache = restoreKvCache(cache.snapshot(), { states })
          }
          expectHeld(cache, tokens)
          for (const other of others) expectHeld(other.cache, other.tokens)
        }
        for (const other of [...others, { cache }]) await other.cache[Symbol.asyncDispose]()
        for (const other of [...others, { cache }]) expect(other.cache.bytes).toBe(0)
      }),
      { numRuns: 150, seed: 20261124 },
    )
  })

  test('each of the last rows can be taken back, when they came in steps of no more rows than that', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: RECENT }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const cache = createKvCache(LAYERS, { states })
        let token = 0
        for (const size of sizes) {
          cache.append(
            step(
              cache,
              Array.from({ length: size }, () => token++),
              true,
            ),
          )
          for (let back = 0; back <= Math.min(RECENT, cache.length); back++) {
            expect(cache.restorableLength(cache.length - back)).toBe(cache.length - back)
          }
        }
      }),
      { numRuns: 60, seed: 20261124 },
    )
  })

  test('are those of the rows when no row can be taken back but to the older states, and when none of these is kept', () => {
    for (const retention of [
      { recentRows: 0, olderStates: 2 },
      { recentRows: 0, olderStates: 0 },
      { recentRows: 4, olderStates: 9, olderStatesBytes: 0 },
    ]) {
      const cache = createKvCache(LAYERS, { states: retention })
      const tokens: number[] = []
      for (let token = 0; token < 41; token++) {
        // every third row is accepted from a tree, without a state after it
        if (token % 3 === 0) cache.append(step(cache, [token, token + 1], false), [0])
        else cache.append(step(cache, [token], true))
        tokens.push(token)
        expectHeld(cache, tokens)
      }
      const back = cache.restorableLength(40)
      if (retention.olderStates === 0) expect(back).toBe(0)
      if (retention.olderStatesBytes === 0) expect([0, 10, 30].map((length) => cache.restorableLength(length))).toEqual([0, 0, 0])
      cache.truncate(back)
      expectHeld(cache, tokens.slice(0, back))
    }
  })

  test('can be taken back one by one after steps of single rows, and from there gone on with', () => {
    const cache = createKvCache(LAYERS, { states })
    const tokens = Array.from({ length: 50 }, (_, token) => token)
    for (const token of tokens) cache.append(step(cache, [token], true))
    for (let length = 49; length >= 50 - RECENT; length--) {
      const fork = cache.fork()
      fork.truncate(length)
      expectHeld(fork, tokens.slice(0, length))
      fork.append(step(fork, [7], true))
      expectHeld(fork, [...tokens.slice(0, length), 7])
      expectHeld(cache, tokens)
    }
  })

  test('are shared by forks and counted once, and outlive the cache they came from', async () => {
    const cache = createKvCache(LAYERS, { states })
    for (let token = 0; token < 50; token++) cache.append(step(cache, [token], true))
    const { bytes } = cache
    const fork = cache.fork()
    expect(fork.bytes).toBe(0)
    await cache[Symbol.asyncDispose]()
    expect(fork.bytes).toBe(bytes)
    expectHeld(
      fork,
      Array.from({ length: 50 }, (_, token) => token),
    )
  })

  test('take no more memory with the length, and what is kept from long ago lies further apart', () => {
    const cache = createKvCache(LAYERS, { states })
    const bytes: number[] = []
    for (let token = 0; token < 1200; token++) {
      cache.append(step(cache, [token], true))
      // rows of the attending layer grow in any case
      const rows = cache.view(1)
      bytes.push(cache.bytes - rows.keys.buffer.byteLength - rows.values.buffer.byteLength)
    }
    expect(Math.max(...bytes.slice(600))).toBeLessThanOrEqual(Math.max(...bytes.slice(0, 600)))
    const held = new Set<number>()
    for (let length = 0; length < 1150; length++) held.add(cache.restorableLength(length))
    expect(held.size).toBeLessThanOrEqual(1 + states.olderStates + 2)
    // ages in rows, from the start on: each is at most some times the next
    const ages = [...[...held].map((length) => 1200 - length), 3 * RECENT]
    for (let at = 1; at < ages.length; at++) expect((ages[at - 1] ?? 0) / (ages[at] ?? 1)).toBeLessThan(5)
  })
})

describe('refused, and nothing changed', () => {
  const filled = () => {
    const cache = createKvCache(LAYERS, { states: { ...states, olderStates: 0 } })
    for (let token = 0; token < 50; token++) cache.append(step(cache, [token], true))
    return cache
  }
  const tokens = Array.from({ length: 50 }, (_, token) => token)

  test('a length whose state is gone; the message names one that is not', () => {
    const cache = filled()
    expect(() => cache.truncate(20)).toThrow(/20.*such as 0 or the last 8 of 50/)
    expectHeld(cache, tokens)
  })

  test('rows that a policy takes out; keeping all of them changes nothing', () => {
    const cache = filled()
    expect(() => cache.gather([0, 1, 49])).toThrow(CacheStateError)
    cache.gather(tokens)
    expectHeld(cache, tokens)
  })

  test('rows without what the recurrence reads, or with too little of it', () => {
    const cache = filled()
    const rows = step(cache, [1, 2], true)
    const without = { ...rows, layers: rows.layers.map(({ keys, values }) => ({ keys, values })) }
    expect(() => cache.append(without)).toThrow(/layers\[0\].recurrent: found nothing/)
    const short = rows.layers.map((each) =>
      each.recurrent === undefined ? each : { ...each, recurrent: { ...each.recurrent, inputs: each.recurrent.inputs.subarray(1) } },
    )
    expect(() => cache.append({ ...rows, layers: short })).toThrow(/recurrent.inputs: found 3 elements, expected \[2, 2\] = 4/)
    expectHeld(cache, tokens)
  })

  test('the view of a layer without a state', () => {
    expect(() => filled().recurrentView(1)).toThrow(/recurrent layer/)
    expect(() => createKvCache([{ kvHeads: 1, keyDim: 1, valueDim: 1 }]).recurrentView(0)).toThrow(/recurrent layer/)
  })

  test('a snapshot whose state is missing, or whose layers disagree on how old it is', () => {
    const snapshot = filled().snapshot()
    const { recurrent = [] } = snapshot
    expect(() => restoreKvCache({ ...snapshot, recurrent: [] })).toThrow(/recurrent\[0\]/)
    const older = recurrent.map((view, layer) =>
      layer === 2 && view !== undefined ? { ...view, tail: 1, inputs: new Float32Array(1) } : view,
    )
    expect(() => restoreKvCache({ ...snapshot, recurrent: older })).toThrow(/tails of 0 and 1 rows/)
  })

  test('sizes that are none', () => {
    const layer = (recurrent: object) => [
      { kvHeads: 0, keyDim: 0, valueDim: 0, recurrent: { inputWidth: 1, window: 1, stateSize: 1, ...recurrent } },
    ]
    expect(() => createKvCache(layer({ inputWidth: 0 }))).toThrow(/inputWidth/)
    expect(() => createKvCache(layer({ window: -1 }))).toThrow(/window/)
    expect(() => createKvCache(layer({ stateSize: 1.5 }))).toThrow(/stateSize/)
    expect(() => createKvCache(LAYERS, { states: { recentRows: -1 } })).toThrow(/recentRows/)
  })
})

test('states of a step over another length are not taken, its rows are', () => {
  const cache = createKvCache(LAYERS, { states })
  const stale = step(cache, [5], true)
  cache.append(step(cache, [1, 2], true))
  cache.append(stale)
  expectHeld(cache, [1, 2, 5])
  expect(cache.recurrentView(0).tail).toBe(1)
})

test('without recurrent layers nothing is ever lost', () => {
  const cache = createKvCache([{ kvHeads: 1, keyDim: 1, valueDim: 1 }])
  expect(cache.recentRows).toBe(Number.POSITIVE_INFINITY)
  cache.append({ steps: 3, positions: Int32Array.of(0, 1, 2), layers: [{ keys: new Float32Array(3), values: new Float32Array(3) }] })
  expect([0, 2, 3, 9].map((length) => cache.restorableLength(length))).toEqual([0, 2, 3, 3])
})
