/**
 * Rows of several caches side by side, as one step of all their sequences reads them: the row at index r of every cache lies beside the
 * others' row r, [rows, slots, kvHeads, …], so that the first rows of all slots are one view and an appended row is a small write. Rows are
 * held in two regions: whole blocks, [blocks * blockRows, slots, …], and since each cache's own last whole block its tail,
 * [at most blockRows, slots, …]. A full tail moves to the blocks.
 *
 * A slot that nobody sits in, or whose cache misses a run, is computed for nothing; arranging the slots anew copies all rows. So empty
 * slots are put up with until they have cost as much as the copy, and then only those go that have stayed away for some runs.
 *
 * All caches of a pool hold their numbers in the same way. The pool knows its caches weakly: a cache that is garbage leaves an empty slot, and a pool without caches is garbage itself.
 */
import { allocate, type Elements, type HeldRows, type StorageType, store } from './held-rows.ts'
import type { LayerRows, LayerShape } from './new-rows.ts'
import type { PooledRowStorage } from './pooled-row-storage.ts'
import type { RowStorage } from './row-storage.ts'

/** Computing a row for nothing takes about as long as copying this many cached rows (SmolLM2-135M: 2 ms and 15 µs). */
const COPIES_PER_ROW = 128

/** A cache that missed this many runs in a row has stopped coming. */
const RUNS_UNTIL_GONE = 8

const FIRST_TAIL_ROWS = 32

export interface Widths {
  readonly keyWidth: number
  readonly valueWidth: number
}

/** One array per layer for keys and one for values, each [rows, slots, …]. */
interface Region {
  readonly keys: Elements[]
  readonly values: Elements[]
  readonly rows: number
}

export class RowPool {
  readonly blockRows: number
  readonly storage: StorageType
  readonly #widths: readonly Widths[]
  #seats: (WeakRef<PooledRowStorage> | undefined)[] = []
  #blocks: Region
  #tails: Region
  /** Rows computed for nothing since the slots were arranged. */
  #idleRows = 0

  constructor(layers: readonly LayerShape[], blockRows: number, storage: StorageType) {
    this.blockRows = blockRows
    this.storage = storage
    this.#widths = layers.map(({ kvHeads, keyDim, valueDim }) => ({ keyWidth: kvHeads * keyDim, valueWidth: kvHeads * valueDim }))
    this.#blocks = this.#newRegion(0, 0)
    this.#tails = this.#newRegion(0, 0)
  }

  get slots(): number {
    return this.#seats.length
  }

  get bytes(): number {
    const bytesOf = ({ keys, values }: Region) => [...keys, ...values].reduce((sum, { byteLength }) => sum + byteLength, 0)
    return bytesOf(this.#blocks) + bytesOf(this.#tails)
  }

  /** The one of its storages that accounts for the bytes. */
  get owner(): PooledRowStorage | undefined {
    return this.#seated()[0]
  }

  widths(layer: number): Widths {
    const widths = this.#widths[layer]
    if (widths === undefined) throw new RangeError(`layer ${layer} of ${this.#widths.length}`)
    return widths
  }

  /** Rows [from, to) of the whole blocks of all slots: keys [to - from, slots, kvHeads, keyDim] and values. Valid until a cache changes. */
  blocks(layer: number, from: number, to: number): HeldRows {
    return this.#view(this.#blocks, layer, from, to)
  }

  /** The first rows of all tails. */
  tails(layer: number, rows: number): HeldRows {
    return this.#view(this.#tails, layer, 0, rows)
  }

  /**
   * Prepares a run in which these storages take part: newcomers get a slot and their rows are copied in; what has stayed away may leave.
   *
   * @param members    storages of this pool
   * @param newcomers  [length] where the rows of each are, and what makes the pooled storage of its slot
   */
  seat(members: readonly PooledRowStorage[], newcomers: readonly Newcomer[]): void {
    const taking = new Set(members)
    const others = this.#seated().filter((storage) => !taking.has(storage))
    for (const member of members) member.idleRuns = 0
    for (const other of others) other.idleRuns++
    const free = this.slots - members.length - others.length
    const gone = others.filter(({ idleRuns }) => idleRuns >= RUNS_UNTIL_GONE)
    const held = [...members, ...others].reduce((sum, { length }) => sum + length, 0)
    this.#idleRows += Math.max(0, free - newcomers.length) + others.length
    const isWasteful = this.#idleRows * COPIES_PER_ROW > held && free + gone.length > newcomers.length
    if (isWasteful || newcomers.length > free) {
      for (const storage of gone) storage.leave()
      this.#arrange(this.#seated(), newcomers)
    } else for (const newcomer of newcomers) this.#fillFreeSlot(newcomer)
  }

  /** Makes room for a storage that will hold `length` rows, `added` of them to be written. Changes nothing that is held. */
  reserve(length: number, added: number): void {
    const whole = length - (length % this.blockRows)
    const tail = length - whole
    // a row that completes a block is written to the tail first
    const tailRows = added > tail ? this.blockRows : tail
    const blocks = whole > this.#blocks.rows ? this.#grown(this.#blocks, whole) : this.#blocks
    if (tailRows > this.#tails.rows) this.#tails = this.#grown(this.#tails, this.#tailCapacity(tailRows))
    this.#blocks = blocks
  }

  /** Writes row `sourceRow` of new rows as row `row` of a slot, for which there is room. */
  write(slot: number, row: number, layers: readonly LayerRows[], sourceRow: number): void {
    const at = (row % this.blockRows) * this.slots + slot
    for (let l = 0; l < this.#widths.length; l++) {
      const { keyWidth, valueWidth } = this.widths(l)
      const source = layers[l]
      if (source === undefined) continue // counted by the cache
      const { keys, values } = arraysOf(this.#tails, l)
      store(source.keys.subarray(sourceRow * keyWidth, (sourceRow + 1) * keyWidth), keys, at * keyWidth)
      store(source.values.subarray(sourceRow * valueWidth, (sourceRow + 1) * valueWidth), values, at * valueWidth)
    }
    if ((row + 1) % this.blockRows === 0) this.#moveTailToBlocks(slot, row + 1 - this.blockRows)
  }

  /** Copies rows [from, to) of a storage's layer into arrays of their size. */
  copyOut(storage: PooledRowStorage, layer: number, from: number, to: number, into: HeldRows): void {
    const { slot, length } = storage
    const whole = length - (length % this.blockRows)
    const { keyWidth, valueWidth } = this.widths(layer)
    for (let row = from; row < to; row++) {
      const region = row < whole ? this.#blocks : this.#tails
      const at = (row < whole ? row : row - whole) * this.slots + slot
      copyRow(region.keys[layer], at, into.keys, row - from, keyWidth)
      copyRow(region.values[layer], at, into.values, row - from, valueWidth)
    }
  }

  /** The storage's slot is free from here on. */
  vacate({ slot }: PooledRowStorage): void {
    this.#seats[slot] = undefined
  }

  #seated(): PooledRowStorage[] {
    return this.#seats.flatMap((seat) => seat?.deref() ?? [])
  }

  /** New arrays with these storages and newcomers and no free slot. */
  #arrange(staying: readonly PooledRowStorage[], newcomers: readonly Newcomer[]): void {
    const lengths = [...staying, ...newcomers].map(({ length }) => length)
    const slots = lengths.length
    const tailsUsed = lengths.map((length) => length % this.blockRows)
    const wholeRows = Math.max(0, ...lengths.map((length, index) => length - (tailsUsed[index] ?? 0)))
    const blocks = this.#newRegion(wholeRows, slots)
    const tails = this.#newRegion(this.#tailCapacity(Math.max(0, ...tailsUsed)), slots)
    for (let l = 0; l < this.#widths.length; l++) {
      const { keyWidth, valueWidth } = this.widths(l)
      for (const [slot, storage] of staying.entries()) {
        const whole = storage.length - (storage.length % this.blockRows)
        for (const [from, to, rows] of [
          [this.#blocks, blocks, whole],
          [this.#tails, tails, storage.length - whole],
        ] as const) {
          moveSlot(from.keys[l], storage.slot, this.slots, to.keys[l], slot, slots, rows, keyWidth)
          moveSlot(from.values[l], storage.slot, this.slots, to.values[l], slot, slots, rows, valueWidth)
        }
      }
      for (const [index, { length, rows }] of newcomers.entries()) {
        const { keys, values } = rows.view(l, 0, length)
        const slot = staying.length + index
        this.#spread(keys, keyWidth, length, blocks.keys[l], tails.keys[l], slot, slots)
        this.#spread(values, valueWidth, length, blocks.values[l], tails.values[l], slot, slots)
      }
    }
    this.#blocks = blocks
    this.#tails = tails
    this.#idleRows = 0
    for (const [slot, storage] of staying.entries()) storage.slot = slot
    this.#seats = staying.map((storage) => new WeakRef(storage))
    for (const newcomer of newcomers) this.#seats.push(new WeakRef(newcomer.enter(this.#seats.length)))
  }

  #fillFreeSlot(newcomer: Newcomer): void {
    const slot = this.#seats.findIndex((seat) => seat?.deref() === undefined)
    const { length, rows } = newcomer
    this.reserve(length, 0)
    for (let l = 0; l < this.#widths.length; l++) {
      const { keyWidth, valueWidth } = this.widths(l)
      // what the last cache left behind is hidden, but a hidden number that is not finite would still spoil a sum
      for (const region of [this.#blocks, this.#tails]) {
        clearSlot(region.keys[l], slot, this.slots, keyWidth)
        clearSlot(region.values[l], slot, this.slots, valueWidth)
      }
      const { keys, values } = rows.view(l, 0, length)
      this.#spread(keys, keyWidth, length, this.#blocks.keys[l], this.#tails.keys[l], slot, this.slots)
      this.#spread(values, valueWidth, length, this.#blocks.values[l], this.#tails.values[l], slot, this.slots)
    }
    this.#seats[slot] = new WeakRef(newcomer.enter(slot))
  }

  #moveTailToBlocks(slot: number, firstRow: number): void {
    for (let l = 0; l < this.#widths.length; l++) {
      const { keyWidth, valueWidth } = this.widths(l)
      for (let row = 0; row < this.blockRows; row++) {
        const from = row * this.slots + slot
        const to = (firstRow + row) * this.slots + slot
        copyRow(this.#tails.keys[l], from, this.#blocks.keys[l], to, keyWidth)
        copyRow(this.#tails.values[l], from, this.#blocks.values[l], to, valueWidth)
      }
    }
  }

  /** Rows [length, width] that lie together into the two regions of a slot. */
  #spread(
    source: Elements,
    width: number,
    length: number,
    blocks: Elements | undefined,
    tails: Elements | undefined,
    slot: number,
    slots: number,
  ): void {
    const whole = length - (length % this.blockRows)
    for (let row = 0; row < length; row++) {
      if (row < whole) copyRow(source, row, blocks, row * slots + slot, width)
      else copyRow(source, row, tails, (row - whole) * slots + slot, width)
    }
  }

  #view(region: Region, layer: number, from: number, to: number): HeldRows {
    const { keyWidth, valueWidth } = this.widths(layer)
    const { keys, values } = arraysOf(region, layer)
    return {
      keys: keys.subarray(from * this.slots * keyWidth, to * this.slots * keyWidth),
      values: values.subarray(from * this.slots * valueWidth, to * this.slots * valueWidth),
    }
  }

  #newRegion(rows: number, slots: number): Region {
    return {
      keys: this.#widths.map(({ keyWidth }) => allocate(this.storage, rows * slots * keyWidth)),
      values: this.#widths.map(({ valueWidth }) => allocate(this.storage, rows * slots * valueWidth)),
      rows,
    }
  }

  #grown(region: Region, rows: number): Region {
    const grown = this.#newRegion(rows, this.slots)
    for (const [l, keys] of region.keys.entries()) grown.keys[l]?.set(keys)
    for (const [l, values] of region.values.entries()) grown.values[l]?.set(values)
    return grown
  }

  #tailCapacity(rows: number): number {
    let capacity = Math.min(FIRST_TAIL_ROWS, this.blockRows)
    while (capacity < rows) capacity = Math.min(2 * capacity, this.blockRows)
    return capacity
  }
}

/** A cache that comes into a pool. */
export interface Newcomer {
  readonly length: number
  readonly rows: RowStorage
  /** Called when the rows have been copied; returns the storage that stands for the slot. */
  enter(slot: number): PooledRowStorage
}

function arraysOf(region: Region, layer: number): HeldRows {
  const keys = region.keys[layer]
  const values = region.values[layer]
  if (keys === undefined || values === undefined) throw new RangeError(`layer ${layer} of ${region.keys.length}`)
  return { keys, values }
}

/** Rows of a few hundred numbers: a loop of its own is no quicker than `set`. */
function copyRow(source: Elements | undefined, from: number, target: Elements | undefined, to: number, width: number): void {
  if (source === undefined || width === 0) return
  target?.set(source.subarray(from * width, (from + 1) * width), to * width)
}

/** The first rows of a slot to a slot of other arrays. */
function moveSlot(
  source: Elements | undefined,
  fromSlot: number,
  fromSlots: number,
  target: Elements | undefined,
  toSlot: number,
  toSlots: number,
  rows: number,
  width: number,
): void {
  for (let row = 0; row < rows; row++) copyRow(source, row * fromSlots + fromSlot, target, row * toSlots + toSlot, width)
}

function clearSlot(array: Elements | undefined, slot: number, slots: number, width: number): void {
  if (array === undefined || width === 0) return
  for (let at = slot * width; at < array.length; at += slots * width) array.fill(0, at, at + width)
}
