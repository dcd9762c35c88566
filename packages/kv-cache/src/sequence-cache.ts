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
import type { RowStorage } from './row-storage.ts'

export interface KvCacheOptions {
  /** Rows that the first append makes room for; capacity doubles from there. Default 64. */
  readonly initialCapacity?: number
  /** Most rows the cache may hold; appending more is a `CacheCapacityError`. Default: no limit. */
  readonly maxCapacity?: number
}

/**
 * An empty cache.
 *
 * @param layers  shape of each layer's rows; a layer without rows of its own has `kvHeads` 0
 * @throws {ArgumentError} for a size that is not a whole number >= 0, or a capacity that is not one >= 1
 */
export function createKvCache(layers: readonly LayerShape[], options: KvCacheOptions = {}): KvCache {
  const { initialCapacity = 64, maxCapacity = Number.POSITIVE_INFINITY } = options
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
  const own = layers.map(({ kvHeads, keyDim, valueDim }) => ({ kvHeads, keyDim, valueDim }))
  return new SequenceCache(own, new HostRowStorage(own, { initialCapacity, maxCapacity }), maxCapacity)
}

/**
 * A cache with the rows of a snapshot, which is copied.
 *
 * @throws {ShapeError} when the snapshot contradicts itself
 * @throws {CacheCapacityError} when it holds more rows than `maxCapacity`
 */
export function restoreKvCache(snapshot: KvSnapshot, options: KvCacheOptions = {}): KvCache {
  const cache = createKvCache(snapshot.layers, options)
  cache.append({ steps: snapshot.positions.length, positions: snapshot.positions, layers: snapshot.rows })
  return cache
}

class SequenceCache implements KvCache {
  readonly layers: readonly LayerShape[]
  readonly #maxCapacity: number
  #storage: RowStorage | undefined
  #positions = new Int32Array(0) // [capacity]
  #nextPosition = 0

  constructor(layers: readonly LayerShape[], storage: RowStorage, maxCapacity: number) {
    this.layers = layers
    this.#storage = storage
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
    return this.#open().bytes
  }

  view(layer: number, from = 0, to?: number): LayerRows {
    const storage = this.#open()
    const end = to ?? storage.length
    if (!isCount(layer) || layer >= this.layers.length) {
      throw new ArgumentError({ field: 'layer', found: String(layer), expected: `an integer from 0 to ${this.layers.length - 1}` })
    }
    if (!isCount(from) || !isCount(end) || from > end || end > storage.length) {
      throw new ArgumentError({ field: 'view', found: `rows [${from}, ${end})`, expected: `a range within ${storage.length} rows` })
    }
    return storage.view(layer, from, end)
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

  fork(): KvCache {
    const storage = this.#open()
    const fork = new SequenceCache(this.layers, storage.fork(), this.#maxCapacity)
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
    this.#storage?.release()
    this.#storage = undefined
    this.#positions = new Int32Array(0)
  }

  #open(): RowStorage {
    if (this.#storage === undefined) throw new DisposedError({ found: 'a disposed cache', expected: 'one that is open' })
    return this.#storage
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
