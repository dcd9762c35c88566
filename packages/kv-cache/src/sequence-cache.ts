/**
 * The cache of one sequence: it checks every argument before anything changes, keeps the positions, and refuses to live after
 * its disposal. The rows themselves lie in a `RowStorage`.
 */
import { ArgumentError, DisposedError, ShapeError } from '@foretoken/tensor'
import { CacheCapacityError, CacheStateError } from './errors.ts'
import { type HeldRows, readRows, type StorageType } from './held-rows.ts'
import { HostRowStorage } from './host-row-storage.ts'
import type { KvCache, KvSnapshot } from './kv-cache.ts'
import type { LayerRows, LayerShape, NewRows, RecurrentShape, RecurrentView } from './new-rows.ts'
import { DEFAULT_RETENTION, RecurrentHistory, type StateRetention } from './recurrent-history.ts'
import { type RowRun, rowRuns } from './row-run.ts'
import type { RowStorage } from './row-storage.ts'

export interface KvCacheOptions {
  /** Rows that the first append makes room for; capacity doubles from there, beyond 1,024 rows it grows by a quarter. Default 64. */
  readonly initialCapacity?: number
  /** Most rows the cache may hold; appending more is a `CacheCapacityError`. Default: no limit. */
  readonly maxCapacity?: number
  /**
   * How elements are held. Default 'float32'. 'float16' takes half the memory and rounds appended rows to the nearest float16
   * (beyond 65504: to infinity), so a step is reproducible only if it attends to rows rounded in the same way.
   */
  readonly storage?: StorageType
  /** How far back the states of recurrent layers can be restored; these are float32 in any storage. */
  readonly states?: Partial<StateRetention>
}

/**
 * An empty cache.
 *
 * @param layers  shape of each layer's rows; a layer without rows of its own has `kvHeads` 0
 * @throws {ArgumentError} for a size that is not a whole number >= 0, a capacity that is not one >= 1, or an unknown storage
 */
export function createKvCache(layers: readonly LayerShape[], options: KvCacheOptions = {}): KvCache {
  return emptyCache(layers, options)
}

/**
 * A cache with the rows of a snapshot, which is copied. Of recurrent layers it holds the state at its end and no earlier one.
 *
 * @throws {ShapeError} when the snapshot contradicts itself
 * @throws {CacheCapacityError} when it holds more rows than `maxCapacity`
 */
export function restoreKvCache(snapshot: KvSnapshot, options: KvCacheOptions = {}): KvCache {
  const cache = emptyCache(snapshot.layers, snapshot.storage === undefined ? options : { storage: snapshot.storage, ...options })
  cache.restore(snapshot)
  return cache
}

function emptyCache(layers: readonly LayerShape[], options: KvCacheOptions): SequenceCache {
  const { initialCapacity = 64, maxCapacity = Number.POSITIVE_INFINITY, storage = 'float32' } = options
  const states = { ...DEFAULT_RETENTION, ...options.states }
  for (const [l, shape] of layers.entries()) {
    for (const field of ['kvHeads', 'keyDim', 'valueDim'] as const) requireCount(`layers[${l}].${field}`, shape[field], 0)
    for (const field of ['inputWidth', 'window', 'stateSize'] as const) {
      if (shape.recurrent !== undefined) requireCount(`layers[${l}].recurrent.${field}`, shape.recurrent[field], field === 'window' ? 0 : 1)
    }
  }
  requireCount('initialCapacity', initialCapacity, 1)
  if (maxCapacity !== Number.POSITIVE_INFINITY) requireCount('maxCapacity', maxCapacity, 1)
  for (const field of ['recentRows', 'olderStates', 'olderStatesBytes'] as const) requireCount(`states.${field}`, states[field], 0)
  if (storage !== 'float32' && storage !== 'float16') {
    throw new ArgumentError({ field: 'storage', found: String(storage), expected: 'float32 or float16' })
  }
  const own = layers.map(({ kvHeads, keyDim, valueDim, recurrent }) => ({
    kvHeads,
    keyDim,
    valueDim,
    ...(recurrent === undefined ? {} : { recurrent: { ...recurrent } }),
  }))
  const history = own.some(({ recurrent }) => recurrent !== undefined) ? new RecurrentHistory(own, states) : undefined
  return new SequenceCache(own, new HostRowStorage(own, { initialCapacity, maxCapacity, storage }), history, maxCapacity, storage)
}

export class SequenceCache implements KvCache {
  readonly storage: StorageType
  readonly layers: readonly LayerShape[]
  readonly #maxCapacity: number
  readonly #history: RecurrentHistory | undefined
  #rows: RowStorage | undefined
  #positions = new Int32Array(0) // [capacity]
  #nextPosition = 0

  constructor(
    layers: readonly LayerShape[],
    rows: RowStorage,
    history: RecurrentHistory | undefined,
    maxCapacity: number,
    storage: StorageType,
  ) {
    this.storage = storage
    this.layers = layers
    this.#history = history
    this.#rows = rows
    this.#maxCapacity = maxCapacity
  }

  /** Where the rows lie. A pool moves them (`row-pool.ts`); nobody else does. */
  get rowStorage(): RowStorage {
    return this.#open()
  }

  set rowStorage(storage: RowStorage) {
    this.#open()
    this.#rows = storage
  }

  get length(): number {
    return this.#open().length
  }

  get positions(): Int32Array {
    return this.#positions.subarray(0, this.#open().length)
  }

  get nextPosition(): number {
    this.#open()
    return this.#nextPosition
  }

  get bytes(): number {
    return (this.#rows?.bytes ?? 0) + (this.#history?.bytes ?? 0)
  }

  get recentRows(): number {
    this.#open()
    return this.#history?.recentRows ?? Number.POSITIVE_INFINITY
  }

  view(layer: number, from = 0, to?: number): LayerRows {
    return readRows(this.heldView(layer, from, to))
  }

  heldView(layer: number, from = 0, to?: number): HeldRows {
    const storage = this.#open()
    return storage.view(layer, from, this.#checkRange(layer, from, to))
  }

  recurrentView(layer: number): RecurrentView {
    this.#open()
    if (this.#history === undefined || this.layers[layer]?.recurrent === undefined) {
      throw new ArgumentError({ field: 'layer', found: String(layer), expected: 'a recurrent layer' })
    }
    return this.#history.view(layer)
  }

  append(rows: NewRows, accepted?: ArrayLike<number>): void {
    this.#checkRecurrent(rows)
    const runs = this.#appendRows(rows, accepted)
    this.#history?.append(rows, runs)
  }

  /** Everything but the states. */
  #appendRows(rows: NewRows, accepted: ArrayLike<number> | undefined): readonly RowRun[] {
    const storage = this.#open()
    this.#checkRows(rows)
    const runs = accepted === undefined ? [{ from: 0, count: rows.steps }] : rowRuns(accepted, rows.steps, 'accepted')
    const before = storage.length
    const after = before + (accepted === undefined ? rows.steps : accepted.length)
    if (after > this.#maxCapacity) {
      throw new CacheCapacityError({ found: `${after} rows`, expected: `at most ${this.#maxCapacity}` })
    }
    const positions = after > this.#positions.length ? grown(this.#positions, Math.max(after, 2 * before)) : this.#positions
    storage.append(rows.layers, runs)
    this.#positions = positions
    let row = before
    for (const { from, count } of runs) {
      positions.set(rows.positions.subarray(from, from + count), row)
      row += count
    }
    this.#nextPosition = Math.max(this.#nextPosition, onePastGreatest(positions, before, after))
    return runs
  }

  truncate(length: number): void {
    const storage = this.#open()
    if (!isCount(length) || length > storage.length) {
      throw new ArgumentError({ field: 'length', found: String(length), expected: `an integer from 0 to ${storage.length}` })
    }
    if (length === storage.length) return
    if (this.restorableLength(length) !== length) {
      const nearest = `one whose states are held, such as ${this.restorableLength(length)} or the last ${this.recentRows} of ${storage.length}`
      throw new CacheStateError({ field: 'length', found: String(length), expected: nearest })
    }
    storage.truncate(length)
    this.#history?.truncate(length)
    this.#nextPosition = onePastGreatest(this.#positions, 0, length)
  }

  restorableLength(atMost: number): number {
    const { length } = this.#open()
    if (!isCount(atMost)) throw new ArgumentError({ field: 'atMost', found: String(atMost), expected: 'a whole number >= 0' })
    return this.#history?.restorableLength(atMost) ?? Math.min(atMost, length)
  }

  gather(kept: ArrayLike<number>): void {
    const storage = this.#open()
    const runs = rowRuns(kept, storage.length, 'kept')
    for (let i = 1; i < runs.length; i++) {
      const previous = runs[i - 1]?.from ?? 0
      const from = runs[i]?.from ?? 0
      if (from < previous) {
        throw new ArgumentError({ field: 'kept', found: `index ${from} after ${previous}`, expected: 'ascending indices' })
      }
    }
    if (this.#history !== undefined) {
      if (kept.length === storage.length) return
      const found = `${kept.length} of ${storage.length} rows`
      throw new CacheStateError({ field: 'kept', found, expected: 'all rows: the state of a recurrent layer cannot forget one' })
    }
    storage.gather(runs)
    let row = 0
    for (const { from, count } of runs) {
      this.#positions.copyWithin(row, from, from + count)
      row += count
    }
    this.#nextPosition = onePastGreatest(this.#positions, 0, row)
  }

  fork(): KvCache {
    const storage = this.#open()
    const fork = new SequenceCache(this.layers, storage.fork(), this.#history?.fork(), this.#maxCapacity, this.storage)
    fork.#positions = this.#positions.slice(0, storage.length)
    fork.#nextPosition = this.#nextPosition
    return fork
  }

  snapshot(): KvSnapshot {
    const storage = this.#open()
    const rows = this.layers.map((_, layer) => {
      const { keys, values } = readRows(storage.view(layer, 0, storage.length))
      return { keys: keys.slice(), values: values.slice() }
    })
    const positions = this.#positions.slice(0, storage.length)
    const history = this.#history
    if (history === undefined) return { layers: this.layers, storage: this.storage, positions, rows }
    const recurrent = this.layers.map((shape, layer) => {
      if (shape.recurrent === undefined) return undefined
      const { state, inputs, tail } = history.view(layer)
      return { state: state.slice(), inputs: inputs.slice(), tail }
    })
    return { layers: this.layers, storage: this.storage, positions, rows, recurrent }
  }

  /** Of an empty cache. */
  restore({ positions, rows, recurrent = [] }: KvSnapshot): void {
    const steps = positions.length
    for (const [layer, shape] of this.layers.entries()) {
      if (shape.recurrent !== undefined) checkView(recurrent[layer], shape.recurrent, steps, `recurrent[${layer}]`)
    }
    const tails = new Set(recurrent.flatMap((view) => (view === undefined ? [] : [view.tail])))
    if (tails.size > 1) throw new ShapeError({ field: 'recurrent', found: `tails of ${[...tails].join(' and ')} rows`, expected: 'one' })
    this.#appendRows({ steps, positions, layers: rows }, undefined)
    this.#history?.restore(steps, recurrent)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows?.release()
    this.#history?.release()
    this.#rows = undefined
    this.#positions = new Int32Array(0)
  }

  #open(): RowStorage {
    if (this.#rows === undefined) throw new DisposedError({ found: 'a disposed cache', expected: 'one that is open' })
    return this.#rows
  }

  /** Returns the end of the range. */
  #checkRange(layer: number, from: number, to: number | undefined): number {
    const { length } = this.#open()
    const end = to ?? length
    if (!isCount(layer) || layer >= this.layers.length) {
      throw new ArgumentError({ field: 'layer', found: String(layer), expected: `an integer from 0 to ${this.layers.length - 1}` })
    }
    if (!isCount(from) || !isCount(end) || from > end || end > length) {
      throw new ArgumentError({ field: 'view', found: `rows [${from}, ${end})`, expected: `a range within ${length} rows` })
    }
    return end
  }

  #checkRecurrent({ steps, layers }: NewRows): void {
    this.#open()
    for (const [l, { recurrent: shape }] of this.layers.entries()) {
      if (shape === undefined || l >= layers.length) continue
      const field = `rows.layers[${l}].recurrent`
      const rows = layers[l]?.recurrent
      if (rows === undefined) throw new ShapeError({ field, found: 'nothing', expected: 'what the recurrence reads of each row' })
      checkCount(rows.inputs, steps * shape.inputWidth, `[${steps}, ${shape.inputWidth}]`, `${field}.inputs`)
      if (rows.stateBefore !== undefined) checkCount(rows.stateBefore, shape.stateSize, 'the state', `${field}.stateBefore`)
      if (rows.stateAfter !== undefined) checkCount(rows.stateAfter, shape.stateSize, 'the state', `${field}.stateAfter`)
    }
  }

  #checkRows({ steps, positions, layers }: NewRows): void {
    if (!isCount(steps) || positions.length !== steps) {
      throw new ShapeError({ field: 'rows.positions', found: `${positions.length} positions`, expected: `${steps}, one per step` })
    }
    for (let s = 0; s < steps; s++) {
      const position = positions[s] ?? -1
      if (position < 0) throw new ArgumentError({ field: `rows.positions[${s}]`, found: String(position), expected: 'a position >= 0' })
    }
    if (layers.length !== this.layers.length) {
      throw new ShapeError({ field: 'rows.layers', found: `${layers.length} layers`, expected: `${this.layers.length}` })
    }
    for (let l = 0; l < layers.length; l++) {
      const shape = this.layers[l]
      const rows = layers[l]
      if (shape === undefined || rows === undefined) continue
      checkElements(rows.keys, steps, shape.kvHeads, shape.keyDim, `rows.layers[${l}].keys`)
      checkElements(rows.values, steps, shape.kvHeads, shape.valueDim, `rows.layers[${l}].values`)
    }
  }
}

function checkElements(data: Float32Array, steps: number, kvHeads: number, dim: number, field: string): void {
  checkCount(data, steps * kvHeads * dim, `[${steps}, ${kvHeads}, ${dim}]`, field)
}

function checkView(view: RecurrentView | undefined, shape: RecurrentShape, steps: number, field: string): void {
  if (view === undefined) throw new ShapeError({ field, found: 'nothing', expected: 'the state of a recurrent layer' })
  const { state, inputs, tail } = view
  if (!isCount(tail) || tail > steps) throw new ShapeError({ field: `${field}.tail`, found: String(tail), expected: `0 to ${steps} rows` })
  checkCount(state, shape.stateSize, 'the state', `${field}.state`)
  const rows = shape.window + tail
  checkCount(inputs, rows * shape.inputWidth, `[${rows}, ${shape.inputWidth}]`, `${field}.inputs`)
}

function checkCount(data: Float32Array, elements: number, what: string, field: string): void {
  if (data.length !== elements) throw new ShapeError({ field, found: `${data.length} elements`, expected: `${what} = ${elements}` })
}

function requireCount(field: string, value: number, least: 0 | 1): void {
  if (isCount(value) && value >= least) return
  throw new ArgumentError({ field, found: String(value), expected: `a whole number >= ${least}` })
}

function onePastGreatest(positions: Int32Array, from: number, to: number): number {
  let next = 0
  for (let i = from; i < to; i++) next = Math.max(next, (positions[i] ?? -1) + 1)
  return next
}

function grown(positions: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(capacity)
  copy.set(positions)
  return copy
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
