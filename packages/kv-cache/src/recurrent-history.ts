/**
 * The recurrent layers of one sequence through time. A state cannot forget a row, so going back means having kept something:
 * states at some lengths (checkpoints), and what the recurrence read of every row since one of them. Replaying these rows from that
 * checkpoint gives the state at any length between, with the bits it had, and a row is far smaller than a state: of Mamba-130M 147 kB
 * against 2.4 MB. A step replays the rows after the newest checkpoint before its own, so a draft that was accepted in part costs its
 * accepted rows once more, and nothing of a rejected one is left.
 *
 * What is held, for a sequence of n rows (W = recentRows): the newest state; a checkpoint at most every W rows back to the last one
 * before n - W, with the rows since, so that each of the last W rows can be taken back; of older checkpoints a few whose
 * distances grow with their age, so that an old prompt can be gone back to roughly. The start is always at hand: it is zeros.
 *
 * Checkpoints and rows never change once they are here, so forks share them.
 */
import type { LayerShape, NewRows, RecurrentShape, RecurrentView } from './new-rows.ts'
import type { RowRun } from './row-run.ts'

export interface StateRetention {
  /** W above: rows that can be taken back one by one. Default 32. */
  readonly recentRows: number
  /** Most states kept from before these rows. Default 8. */
  readonly olderStates: number
  /** Most bytes of the states kept from before these rows. Default 128 MiB. */
  readonly olderStatesBytes: number
}

export const DEFAULT_RETENTION: StateRetention = { recentRows: 32, olderStates: 8, olderStatesBytes: 128 * 2 ** 20 }

/** The rows since a checkpoint may be this many times W before they are let go of. */
const MOST_WINDOWS = 3

interface Shared {
  readonly bytes: number
  readonly holders: Set<RecurrentHistory>
}

/** State and window of every recurrent layer after `length` rows. */
interface Checkpoint extends Shared {
  readonly length: number
  /** [stateSize] per recurrent layer. */
  readonly states: readonly Float32Array[]
  /** [window, inputWidth] per recurrent layer: the rows before `length`. */
  readonly windows: readonly Float32Array[]
}

/** Rows [from, from + count). */
interface Stretch extends Shared {
  readonly from: number
  readonly count: number
  /** [count, inputWidth] per recurrent layer. */
  readonly inputs: readonly Float32Array[]
}

export class RecurrentHistory {
  readonly #layers: readonly LayerShape[]
  readonly #shapes: readonly (RecurrentShape & { readonly layer: number })[]
  readonly #retention: StateRetention
  /** By length; the start is not among them. */
  #checkpoints: Checkpoint[] = []
  /** Neighbouring rows from `#rowsFrom` to the end. */
  #stretches: Stretch[] = []
  #length = 0

  constructor(layers: readonly LayerShape[], retention: StateRetention) {
    this.#layers = layers
    this.#shapes = layers.flatMap(({ recurrent }, layer) => (recurrent === undefined ? [] : [{ ...recurrent, layer }]))
    this.#retention = retention
  }

  get recentRows(): number {
    return this.#retention.recentRows
  }

  /** Bytes of what is held, of shared things only those that this history holds as the first. */
  get bytes(): number {
    let bytes = 0
    for (const each of [...this.#checkpoints, ...this.#stretches]) {
      const [owner] = each.holders
      if (owner === this) bytes += each.bytes
    }
    return bytes
  }

  view(layer: number): RecurrentView {
    const at = this.#shapes.findIndex((shape) => shape.layer === layer)
    const shape = this.#shapes[at]
    if (shape === undefined) throw new RangeError(`layer ${layer} is not recurrent`)
    const base = this.#checkpoints.at(-1)
    const state = base?.states[at] ?? new Float32Array(shape.stateSize)
    const window = base?.windows[at] ?? new Float32Array(shape.window * shape.inputWidth)
    const tail = this.#length - (base?.length ?? 0)
    return { state, inputs: tail === 0 ? window : this.#joined(window, at, base?.length ?? 0), tail }
  }

  append(rows: NewRows, runs: readonly RowRun[]): void {
    const added = runs.reduce((sum, { count }) => sum + count, 0)
    const fits = rows.past === this.#length
    const { recentRows } = this.#retention
    if (fits && this.#length > (this.#checkpoints.at(-1)?.length ?? 0)) {
      const before = this.#states(rows, 'stateBefore')
      if (before !== undefined) this.#remember(this.#length, before, this.#windows())
    }
    if (added === 0) return
    const isWhole = runs.length === 1 && runs[0]?.from === 0 && added === rows.steps
    const after = fits && isWhole ? this.#states(rows, 'stateAfter') : undefined
    const length = this.#length + added
    if (after !== undefined) this.#remember(length, after, this.#windows(rows))
    // rows of a step that is longer than what is kept go at once
    if (after === undefined || added <= MOST_WINDOWS * recentRows) this.#stretches.push(this.#stretch(rows, runs, added))
    this.#length = length
    this.#prune()
  }

  restorableLength(atMost: number): number {
    const length = Math.min(atMost, this.#length)
    if (length >= this.#rowsFrom) return length
    return this.#checkpoints.findLast((each) => each.length <= length)?.length ?? 0
  }

  /** @param length  one that `restorableLength` has named */
  truncate(length: number): void {
    const gone = (each: Shared) => each.holders.delete(this)
    const [kept, dropped] = parted(this.#checkpoints, (each) => each.length <= length)
    dropped.forEach(gone)
    this.#checkpoints = kept
    const [before, after] = parted(this.#stretches, ({ from }) => from < length)
    after.forEach(gone)
    this.#stretches = before
    const last = before.at(-1)
    if (last !== undefined && last.from + last.count > length) {
      gone(last)
      const count = length - last.from
      const inputs = last.inputs.map((each, at) => each.subarray(0, count * (this.#shapes[at]?.inputWidth ?? 0)))
      // the memory stays that of the whole
      this.#stretches[before.length - 1] = { from: last.from, count, inputs, bytes: last.bytes, holders: new Set([this]) }
    }
    this.#length = length
  }

  fork(): RecurrentHistory {
    const fork = new RecurrentHistory(this.#layers, this.#retention)
    fork.#checkpoints = [...this.#checkpoints]
    fork.#stretches = [...this.#stretches]
    fork.#length = this.#length
    for (const each of [...this.#checkpoints, ...this.#stretches]) each.holders.add(fork)
    return fork
  }

  /** Makes a fresh history one of `length` rows whose state and last rows are these. @param views  one per layer of the cache */
  restore(length: number, views: readonly (RecurrentView | undefined)[]): void {
    const own = this.#shapes.flatMap(({ layer }) => views[layer] ?? [])
    const tail = own[0]?.tail ?? 0
    const split = this.#shapes.map(({ window, inputWidth }) => window * inputWidth)
    const windows = own.map(({ inputs }, at) => inputs.slice(0, split[at]))
    if (length > tail) {
      this.#remember(
        length - tail,
        own.map(({ state }) => state.slice()),
        windows,
      )
    }
    if (tail > 0) {
      const inputs = own.map((view, at) => view.inputs.slice(split[at]))
      this.#stretches.push({ from: length - tail, count: tail, inputs, bytes: byteLength(inputs), holders: new Set([this]) })
    }
    this.#length = length
  }

  release(): void {
    for (const each of [...this.#checkpoints, ...this.#stretches]) each.holders.delete(this)
    this.#checkpoints = []
    this.#stretches = []
    this.#length = 0
  }

  /** From this length on every row is held, and the state at it; without rows it is that of the newest state. */
  get #rowsFrom(): number {
    return this.#stretches[0]?.from ?? this.#length
  }

  #states(rows: NewRows, which: 'stateBefore' | 'stateAfter'): Float32Array[] | undefined {
    const states = this.#shapes.flatMap(({ layer }) => rows.layers[layer]?.recurrent?.[which] ?? [])
    return states.length === this.#shapes.length ? states : undefined
  }

  #remember(length: number, states: readonly Float32Array[], windows: readonly Float32Array[]): void {
    this.#checkpoints.push({ length, states, windows, bytes: byteLength([...states, ...windows]), holders: new Set([this]) })
  }

  /** The window of each layer after the rows that are held, and after these new ones. */
  #windows(rows?: NewRows): Float32Array[] {
    return this.#shapes.map(({ layer, window, inputWidth }) => {
      const held = this.view(layer).inputs
      const fresh = rows?.layers[layer]?.recurrent?.inputs ?? new Float32Array(0)
      const size = window * inputWidth
      const last = new Float32Array(size)
      const ofFresh = Math.min(fresh.length, size)
      last.set(held.subarray(held.length - (size - ofFresh)))
      last.set(fresh.subarray(fresh.length - ofFresh), size - ofFresh)
      return last
    })
  }

  #stretch({ layers }: NewRows, runs: readonly RowRun[], count: number): Stretch {
    const inputs = this.#shapes.map(({ layer, inputWidth }) => {
      const source = layers[layer]?.recurrent?.inputs ?? new Float32Array(0)
      const kept = new Float32Array(count * inputWidth)
      let row = 0
      for (const run of runs) {
        kept.set(source.subarray(run.from * inputWidth, (run.from + run.count) * inputWidth), row * inputWidth)
        row += run.count
      }
      return kept
    })
    return { from: this.#length, count, inputs, bytes: byteLength(inputs), holders: new Set([this]) }
  }

  /** `window`, then the rows from `from` on. */
  #joined(window: Float32Array, at: number, from: number): Float32Array {
    const pieces = this.#stretches.flatMap((stretch) => (stretch.from < from ? [] : (stretch.inputs[at] ?? [])))
    const all = new Float32Array(pieces.reduce((sum, { length }) => sum + length, window.length))
    all.set(window)
    let offset = window.length
    for (const piece of pieces) {
      all.set(piece, offset)
      offset += piece.length
    }
    return all
  }

  /** Lets go of what the paragraph on top does not list. */
  #prune(): void {
    const { recentRows } = this.#retention
    this.#dropCrowded(recentRows)
    const newest = this.#checkpoints.at(-1)?.length ?? 0
    const anchor = this.#checkpoints.findLast((each) => each.length <= this.#length - recentRows)?.length ?? 0
    const reaches = this.#length - anchor <= MOST_WINDOWS * recentRows
    const from = reaches ? anchor : (this.#checkpoints.find((each) => each.length > anchor)?.length ?? newest)
    this.#stretches = this.#dropped(this.#stretches, (each) => each.from >= Math.min(from, newest))
    this.#dropOld(anchor)
  }

  /** A state goes while the one before it is near enough to the one after it: that one can be replayed from there. */
  #dropCrowded(recentRows: number): void {
    let before = 0
    const last = this.#checkpoints.length - 1
    const crowded = new Set<Checkpoint>()
    for (let at = 0; at < last; at++) {
      const each = this.#checkpoints[at]
      const after = this.#checkpoints[at + 1]
      if (each === undefined || after === undefined) continue
      if (after.length - before <= recentRows) crowded.add(each)
      else before = each.length
    }
    if (crowded.size > 0) this.#checkpoints = this.#dropped(this.#checkpoints, (each) => !crowded.has(each))
  }

  #dropOld(anchor: number): void {
    const { olderStates, olderStatesBytes } = this.#retention
    for (;;) {
      const older = this.#checkpoints.filter((each) => each.length < anchor)
      const bytes = older.reduce((sum, each) => sum + each.bytes, 0)
      if (older.length <= olderStates && bytes <= olderStatesBytes) return
      const crowded = this.#mostCrowded(older.length)
      this.#checkpoints = this.#dropped(this.#checkpoints, (each) => each !== crowded)
    }
  }

  /** Of the first `count` checkpoints the one whose neighbours' ages, in rows, differ by the smallest factor. */
  #mostCrowded(count: number): Checkpoint | undefined {
    let [crowded] = this.#checkpoints
    let least = Number.POSITIVE_INFINITY
    for (let at = 0; at < count; at++) {
      const each = this.#checkpoints[at]
      if (each === undefined) continue
      const ageBefore = this.#length - (this.#checkpoints[at - 1]?.length ?? 0)
      const ageAfter = this.#length - (this.#checkpoints[at + 1]?.length ?? this.#length)
      if (ageBefore / ageAfter < least) {
        least = ageBefore / ageAfter
        crowded = each
      }
    }
    return crowded
  }

  #dropped<T extends Shared>(held: readonly T[], keeps: (each: T) => boolean): T[] {
    const [kept, gone] = parted(held, keeps)
    for (const each of gone) each.holders.delete(this)
    return kept
  }
}

function parted<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  const first: T[] = []
  const second: T[] = []
  for (const item of items) (isFirst(item) ? first : second).push(item)
  return [first, second]
}

function byteLength(arrays: readonly Float32Array[]): number {
  return arrays.reduce((sum, each) => sum + each.byteLength, 0)
}
