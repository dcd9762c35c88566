/** The caches of several models that read the same tokens, as one: what is done to it is done to all of them. Its layers are theirs, one model's after the other's. */
import type { HeldRows, KvCache, KvSnapshot, LayerRows, LayerShape, NewRows, RecurrentView, StorageType } from '@foretoken/kv-cache'
import { ArgumentError } from '@foretoken/tensor'

export class JoinedCache implements KvCache {
  /** One for each model, in order; at least one, all of the same length. */
  readonly parts: readonly KvCache[]
  readonly layers: readonly LayerShape[]
  readonly storage: StorageType
  readonly #first: KvCache

  constructor(parts: readonly KvCache[]) {
    const [first] = parts
    if (first === undefined) throw new ArgumentError({ field: 'parts', found: 'no cache', expected: 'one for each model' })
    this.#first = first
    this.parts = parts
    this.layers = parts.flatMap(({ layers }) => layers)
    this.storage = parts.every(({ storage }) => storage === first.storage) ? first.storage : 'float32'
  }

  get length(): number {
    return this.#first.length
  }

  get positions(): Int32Array {
    return this.#first.positions
  }

  get nextPosition(): number {
    return this.#first.nextPosition
  }

  get bytes(): number {
    return this.parts.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get recentRows(): number {
    return Math.min(...this.parts.map(({ recentRows }) => recentRows))
  }

  view(layer: number, from?: number, to?: number): LayerRows {
    const { part, own } = this.#partOf(layer)
    return part.view(own, from, to)
  }

  heldView(layer: number, from?: number, to?: number): HeldRows {
    const { part, own } = this.#partOf(layer)
    return part.heldView(own, from, to)
  }

  recurrentView(layer: number): RecurrentView {
    const { part, own } = this.#partOf(layer)
    return part.recurrentView(own)
  }

  append(rows: NewRows, accepted?: ArrayLike<number>): void {
    let from = 0
    for (const part of this.parts) {
      const to = from + part.layers.length
      part.append({ ...rows, layers: rows.layers.slice(from, to) }, accepted)
      from = to
    }
  }

  truncate(length: number): void {
    for (const part of this.parts) part.truncate(length)
  }

  restorableLength(atMost: number): number {
    let length = atMost
    for (let before = -1; before !== length; ) {
      before = length
      for (const part of this.parts) length = part.restorableLength(length)
    }
    return length
  }

  gather(kept: ArrayLike<number>): void {
    for (const part of this.parts) part.gather(kept)
  }

  fork(): JoinedCache {
    return new JoinedCache(this.parts.map((part) => part.fork()))
  }

  snapshot(): KvSnapshot {
    const all = this.parts.map((part) => part.snapshot())
    const hasStates = all.some(({ recurrent }) => recurrent !== undefined)
    return {
      layers: this.layers,
      storage: this.storage,
      positions: this.#first.positions.slice(),
      rows: all.flatMap(({ rows }) => rows),
      ...(hasStates ? { recurrent: all.flatMap(({ recurrent, layers }) => recurrent ?? layers.map(() => undefined)) } : {}),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.parts) await part[Symbol.asyncDispose]()
  }

  #partOf(layer: number): { readonly part: KvCache; readonly own: number } {
    let own = layer
    for (const part of this.parts) {
      if (own < part.layers.length) return { part, own }
      own -= part.layers.length
    }
    throw new ArgumentError({ field: 'layer', found: String(layer), expected: `an integer from 0 to ${this.layers.length - 1}` })
  }
}
