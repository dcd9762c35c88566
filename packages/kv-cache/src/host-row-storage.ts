/**
 * Rows in typed arrays of the host, token-major: layer l holds keys [capacity, kvHeads, keyDim] and values
 * [capacity, kvHeads, valueDim], each in a plain ArrayBuffer that a native runtime can read in place. Appending is one
 * contiguous write per run and layer. Capacity doubles from a small start and later grows by a quarter, so a short chat never pays for a
 * long context and a long one for little that it does not use; a row is copied once to four times on average in a cache's life.
 *
 * Forks share a block. A sharer may write in place from row n on while no other sharer holds a row >= n; otherwise it copies its
 * rows into a block of its own first. So of two forks, the first to append takes over the block's free rows, and the second copies.
 */
import { allocate, type Elements, type HeldRows, type StorageType, store } from './held-rows.ts'
import type { LayerRows, LayerShape } from './new-rows.ts'
import type { RowRun } from './row-run.ts'
import type { RowStorage } from './row-storage.ts'

/** Rows beyond which capacity grows by a quarter. */
const DOUBLED_UNTIL = 1024

/** One array per layer for keys and one for values, with room for `capacity` rows each. */
interface RowBlock {
  readonly keys: Elements[]
  readonly values: Elements[]
  readonly capacity: number
  readonly sharers: Set<HostRowStorage>
}

export interface HostRowStorageOptions {
  readonly initialCapacity: number
  readonly maxCapacity: number
  readonly storage: StorageType
}

export class HostRowStorage implements RowStorage {
  readonly #layers: readonly LayerShape[]
  readonly #options: HostRowStorageOptions
  #block: RowBlock
  #length = 0

  constructor(
    layers: readonly LayerShape[],
    options: HostRowStorageOptions,
    shared?: { readonly block: RowBlock; readonly length: number },
  ) {
    this.#layers = layers
    this.#options = options
    this.#block = shared?.block ?? newBlock(layers, 0, options.storage)
    this.#length = shared?.length ?? 0
    this.#block.sharers.add(this)
  }

  get length(): number {
    return this.#length
  }

  get bytes(): number {
    const [owner] = this.#block.sharers
    if (owner !== this) return 0
    let bytes = 0
    for (let l = 0; l < this.#layers.length; l++) {
      bytes += (this.#block.keys[l]?.byteLength ?? 0) + (this.#block.values[l]?.byteLength ?? 0)
    }
    return bytes
  }

  view(layer: number, from: number, to: number): HeldRows {
    const { keyWidth, valueWidth } = widths(this.#layers, layer)
    const { keys, values } = arraysOf(this.#block, layer)
    return { keys: keys.subarray(from * keyWidth, to * keyWidth), values: values.subarray(from * valueWidth, to * valueWidth) }
  }

  append(layers: readonly LayerRows[], runs: readonly RowRun[]): void {
    const added = runs.reduce((sum, { count }) => sum + count, 0)
    if (added === 0) return
    this.#reserve(this.#length + added)
    for (let l = 0; l < this.#layers.length; l++) {
      const source = layers[l]
      if (source === undefined) continue // counted by the cache
      const { keyWidth, valueWidth } = widths(this.#layers, l)
      const { keys, values } = arraysOf(this.#block, l)
      let row = this.#length
      for (const { from, count } of runs) {
        store(source.keys.subarray(from * keyWidth, (from + count) * keyWidth), keys, row * keyWidth)
        store(source.values.subarray(from * valueWidth, (from + count) * valueWidth), values, row * valueWidth)
        row += count
      }
    }
    this.#length += added
  }

  /** An empty storage with the same options. */
  sibling(): HostRowStorage {
    return new HostRowStorage(this.#layers, this.#options)
  }

  /** Makes the rows those that `write` puts into each layer's arrays, [rows, kvHeads, …]. */
  receive(rows: number, write: (layer: number, into: HeldRows) => void): void {
    this.#length = 0
    this.#reserve(rows)
    for (let l = 0; l < this.#layers.length; l++) write(l, this.view(l, 0, rows))
    this.#length = rows
  }

  truncate(length: number): void {
    this.#length = length
  }

  gather(runs: readonly RowRun[]): void {
    const kept = runs.reduce((sum, { count }) => sum + count, 0)
    // Rows that stay where they are need no copy; a prefix is nothing but a truncation.
    const [first, ...moved] = runs[0]?.from === 0 ? runs : [{ from: 0, count: 0 }, ...runs]
    const stay = first?.count ?? 0
    if (moved.length > 0) {
      const source = this.#block
      if (!this.#mayWriteFrom(stay)) this.#moveTo(newBlock(this.#layers, this.#capacityFor(kept), this.#options.storage), stay)
      for (let l = 0; l < this.#layers.length; l++) {
        const { keyWidth, valueWidth } = widths(this.#layers, l)
        const from = arraysOf(source, l)
        const to = arraysOf(this.#block, l)
        moveRuns(from.keys, to.keys, moved, stay, keyWidth)
        moveRuns(from.values, to.values, moved, stay, valueWidth)
      }
    }
    this.#length = kept
  }

  fork(): RowStorage {
    return new HostRowStorage(this.#layers, this.#options, { block: this.#block, length: this.#length })
  }

  release(): void {
    this.#block.sharers.delete(this)
    this.#block = newBlock(this.#layers, 0, this.#options.storage)
    this.#length = 0
  }

  /** Makes rows [length, rows) writable by this sharer alone. */
  #reserve(rows: number): void {
    if (rows <= this.#block.capacity && this.#mayWriteFrom(this.#length)) return
    this.#moveTo(newBlock(this.#layers, this.#capacityFor(rows), this.#options.storage), this.#length)
  }

  #mayWriteFrom(row: number): boolean {
    for (const sharer of this.#block.sharers) {
      if (sharer !== this && sharer.#length > row) return false
    }
    return true
  }

  /** The start, grown until it holds `rows`, at most the cap (the cache has checked that `rows` is within it). */
  #capacityFor(rows: number): number {
    let capacity = this.#options.initialCapacity
    while (capacity < rows) capacity = capacity < DOUBLED_UNTIL ? 2 * capacity : Math.ceil(1.25 * capacity)
    return Math.min(capacity, this.#options.maxCapacity)
  }

  /** Copies the first `rows` rows into a fresh block and leaves the old one to its other sharers. */
  #moveTo(block: RowBlock, rows: number): void {
    for (let l = 0; l < this.#layers.length; l++) {
      const { keyWidth, valueWidth } = widths(this.#layers, l)
      const from = arraysOf(this.#block, l)
      const to = arraysOf(block, l)
      to.keys.set(from.keys.subarray(0, rows * keyWidth))
      to.values.set(from.values.subarray(0, rows * valueWidth))
    }
    const left = this.#block
    left.sharers.delete(this)
    if (left.sharers.size === 0) free(left)
    this.#block = block
    block.sharers.add(this)
  }
}

/** Gives the memory back at once: blocks are large and a garbage collector sees little of them. Views of the rows end with it. */
function free({ keys, values }: RowBlock): void {
  for (const { buffer } of [...keys, ...values]) buffer.transfer(0)
}

function newBlock(layers: readonly LayerShape[], capacity: number, storage: StorageType): RowBlock {
  return {
    keys: layers.map(({ kvHeads, keyDim }) => allocate(storage, capacity * kvHeads * keyDim)),
    values: layers.map(({ kvHeads, valueDim }) => allocate(storage, capacity * kvHeads * valueDim)),
    capacity,
    sharers: new Set(),
  }
}

function moveRuns(source: Elements, target: Elements, runs: readonly RowRun[], firstRow: number, width: number): void {
  let row = firstRow
  for (const { from, count } of runs) {
    // Ascending runs only move down, so a source that is the target too is read before it is overwritten.
    target.set(source.subarray(from * width, (from + count) * width), row * width)
    row += count
  }
}

function widths(layers: readonly LayerShape[], layer: number): { readonly keyWidth: number; readonly valueWidth: number } {
  const shape = layers[layer]
  if (shape === undefined) throw new RangeError(`layer ${layer} of ${layers.length}`)
  return { keyWidth: shape.kvHeads * shape.keyDim, valueWidth: shape.kvHeads * shape.valueDim }
}

function arraysOf(block: RowBlock, layer: number): HeldRows {
  const keys = block.keys[layer]
  const values = block.values[layer]
  if (keys === undefined || values === undefined) throw new RangeError(`layer ${layer} of ${block.keys.length}`)
  return { keys, values }
}
