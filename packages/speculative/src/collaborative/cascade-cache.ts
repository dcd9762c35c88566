/** The small model's cache, the tokens that it holds rows of, and the large model's rows, which lag behind until it is asked. */
import type { HeldRows, KvCache, KvSnapshot, LayerRows, LayerShape, NewRows, RecurrentView, StorageType } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { DraftRows } from '../draft-rows.ts'

/** Rows of a step of the small model, with the ids that they are of. */
export interface TokenRows extends NewRows {
  readonly tokens: Int32Array
}

export class CascadeCache implements KvCache {
  /** Of the small model. */
  readonly small: KvCache
  /** Of the large model; it goes back and on by comparing tokens. */
  readonly largeRows: DraftRows
  readonly #large: CausalLM
  readonly #tokens: number[]

  constructor(small: KvCache, large: CausalLM, tokens: readonly number[] = []) {
    this.small = small
    this.#large = large
    this.#tokens = [...tokens]
    this.largeRows = new DraftRows(large, { promptLength: 0 })
  }

  /** [length] ids of the rows. */
  get tokens(): readonly number[] {
    return this.#tokens
  }

  get layers(): readonly LayerShape[] {
    return this.small.layers
  }

  get storage(): StorageType {
    return this.small.storage
  }

  get length(): number {
    return this.small.length
  }

  get positions(): Int32Array {
    return this.small.positions
  }

  get nextPosition(): number {
    return this.small.nextPosition
  }

  get bytes(): number {
    return this.small.bytes + (this.largeRows.cache?.bytes ?? 0)
  }

  get recentRows(): number {
    return this.small.recentRows
  }

  view(layer: number, from?: number, to?: number): LayerRows {
    return this.small.view(layer, from, to)
  }

  heldView(layer: number, from?: number, to?: number): HeldRows {
    return this.small.heldView(layer, from, to)
  }

  recurrentView(layer: number): RecurrentView {
    return this.small.recurrentView(layer)
  }

  append(rows: NewRows, accepted?: ArrayLike<number>): void {
    if (!hasTokens(rows)) {
      throw new ArgumentError({ field: 'rows', found: 'rows of another model', expected: 'what a step of the cascade returned' })
    }
    this.small.append(rows, accepted)
    const kept = accepted === undefined ? rows.tokens : Int32Array.from(accepted, (row) => rows.tokens[row] ?? 0)
    for (const token of kept) this.#tokens.push(token)
  }

  truncate(length: number): void {
    this.small.truncate(length)
    this.#tokens.length = length
  }

  restorableLength(atMost: number): number {
    return this.small.restorableLength(atMost)
  }

  /** @throws {ArgumentError} always: the large model has to see all tokens when it is asked */
  gather(): void {
    throw new ArgumentError({
      field: 'gather',
      found: 'a cache of a cascade',
      expected: 'all rows: the large model reads them when it is asked',
    })
  }

  /** The large model's rows are not copied: it computes them again when it is asked there. */
  fork(): CascadeCache {
    return new CascadeCache(this.small.fork(), this.#large, this.#tokens)
  }

  /** Of the small model. */
  snapshot(): KvSnapshot {
    return this.small.snapshot()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.small[Symbol.asyncDispose]()
    await this.largeRows[Symbol.asyncDispose]()
  }
}

function hasTokens(rows: NewRows): rows is TokenRows {
  return 'tokens' in rows && rows.tokens instanceof Int32Array && rows.tokens.length === rows.steps
}
