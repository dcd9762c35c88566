/**
 * The cache of one sequence: it checks every argument before anything changes, keeps the positions, and refuses to live after
 * its disposal. The rows themselves lie in a `RowStorage`.
 */
import { ArgumentError, DisposedError, ShapeError } from '@foretoken/tensor'
import { CacheCapacityError } from './errors.ts'
import { HostRowStorage } from './host-row-storage.ts'
import type { KvCache, KvSnapshot } from './kv-cache.ts'
import type { LayerRows, LayerShape, NewRows } from './new-rows.ts'
import { rowRuns } from './row-run.ts'
import type { HalfRows, RowStorage, StorageType } from './row-storage.ts'

export interface KvCacheOptions {
  /** Rows that the first append makes room for; capacity doubles from there. Default 64. */
  readonly initialCapacity?: number
  /** Most rows the cache may hold; appending more is a `CacheCapacityError`. Default: no limit. */
  readonly maxCapacity?: number
  /**
   * How elements are held. Default 'float32'. 'float16' takes half the memory and rounds appended rows to the nearest float16
   * (beyond 65504: to infinity), so a step is reproducible only if it attends to rows rounded in the same way.
   */
  readonly storage?: StorageType
}

/** A cache whose rows lie in typed arrays of the host. */
export interface HostKvCache extends KvCache {
  readonly storage: StorageType
  /**
   * Views of the float16 bits of rows [from, to) of a layer; valid until the cache changes. `view` decodes them into fresh arrays.
   *
   * @throws {ArgumentError} for a cache of float32
   */
  halfView(layer: number, from?: number, to?: number): HalfRows
  fork(): HostKvCache
}

/**
 * An empty cache.
 *
 * @param layers  shape of each layer's rows; a layer without rows of its own has `kvHeads` 0
 * @throws {ArgumentError} for a size that is not a whole number >= 0, a capacity that is not one >= 1, or an unknown storage
 */
export function createKvCache(layers: readonly LayerShape[], options: KvCacheOptions = {}): HostKvCache {
  const { initialCapacity = 64, maxCapacity = Number.POSITIVE_INFINITY, storage = 'float32' } = options
  for (const [l, shape] of layers.entries()) {
    for (const field of ['kvHeads', 'keyDim', 'valueDim'] as const) {
      if (!isCount(shape[field])) {
        throw new ArgumentError({ field: `layers[${l}].${field}`, found: String(shape[field]), expected: 'a whole number >= 0' })
      }
    }
  }
  if (!isCount(initialCapacity) || initialCapacity < 1) {
    throw new ArgumentError({ field: 'initialCapacity', found: String(initialCapacity), expected: 'a whole number >= 1' })
  }
  if (maxCapacity !== Number.POSITIVE_INFINITY && (!isCount(maxCapacity) || maxCapacity < 1)) {
    throw new ArgumentError({ field: 'maxCapacity', found: String(maxCapacity), expected: 'a whole number >= 1' })
  }
  if (storage !== 'float32' && storage !== 'float16') {
    throw new ArgumentError({ field: 'storage', found: String(storage), expected: 'float32 or float16' })
  }
  const own = layers.map(({ kvHeads, keyDim, valueDim }) => ({ kvHeads, keyDim, valueDim }))
  return new SequenceCache(own, new HostRowStorage(own, { initialCapacity, maxCapacity, storage }), maxCapacity, storage)
}

/**
 * A cache with the rows of a snapshot, which is copied.
 *
 * @throws {ShapeError} when the snapshot contradicts itself
 * @throws {CacheCapacityError} when it holds more rows than `maxCapacity`
 */
export function restoreKvCache(snapshot: KvSnapshot, options: KvCacheOptions = {}): HostKvCache {
  const cache = createKvCache(snapshot.layers, options)
  cache.append({ steps: snapshot.positions.length, positions: snapshot.positions, layers: snapshot.rows })
  return cache
}

class SequenceCache implements HostKvCache {
  readonly storage: StorageType
  readonly layers: readonly LayerShape[]
  readonly #maxCapacity: number
  #rows: RowStorage | undefined
  #positions = new Int32Array(0) // [capacity]
  #nextPosition = 0

  constructor(layers: readonly LayerShape[], rows: RowStorage, maxCapacity: number, storage: StorageType) {
    this.storage = storage
    this.layers = layers
    this.#rows = rows
    this.#maxCapacity = maxCapacity
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
    return this.#rows?.bytes ?? 0
  }

  view(layer: number, from = 0, to?: number): LayerRows {
    const storage = this.#open()
    return storage.view(layer, from, this.#checkRange(layer, from, to))
  }

  halfView(layer: number, from = 0, to?: number): HalfRows {
    const rows = this.#open().halfView(layer, from, this.#checkRange(layer, from, to))
    if (rows === undefined) throw new ArgumentError({ field: 'halfView', found: 'a cache of float32', expected: 'one of float16' })
    return rows
  }

  append(rows: NewRows, accepted?: ArrayLike<number>): void {
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
  }

  truncate(length: number): void {
    const storage = this.#open()
    if (!isCount(length) || length > storage.length) {
      throw new ArgumentError({ field: 'length', found: String(length), expected: `an integer from 0 to ${storage.length}` })
    }
    if (length === storage.length) return
    storage.truncate(length)
    this.#nextPosition = onePastGreatest(this.#positions, 0, length)
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
    storage.gather(runs)
    let row = 0
    for (const { from, count } of runs) {
      this.#positions.copyWithin(row, from, from + count)
      row += count
    }
    this.#nextPosition = onePastGreatest(this.#positions, 0, row)
  }

  fork(): HostKvCache {
    const storage = this.#open()
    const fork = new SequenceCache(this.layers, storage.fork(), this.#maxCapacity, this.storage)
    fork.#positions = this.#positions.slice(0, storage.length)
    fork.#nextPosition = this.#nextPosition
    return fork
  }

  snapshot(): KvSnapshot {
    const storage = this.#open()
    const rows = this.layers.map((_, layer) => {
      const { keys, values } = storage.view(layer, 0, storage.length)
      return { keys: keys.slice(), values: values.slice() }
    })
    return { layers: this.layers, positions: this.#positions.slice(0, storage.length), rows }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows?.release()
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
  if (data.length !== steps * kvHeads * dim) {
    throw new ShapeError({ field, found: `${data.length} elements`, expected: `[${steps}, ${kvHeads}, ${dim}] = ${steps * kvHeads * dim}` })
  }
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
