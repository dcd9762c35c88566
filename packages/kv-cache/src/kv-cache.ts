import type { HeldRows, StorageType } from './held-rows.ts'
import type { LayerRows, LayerShape, NewRows, RecurrentView } from './new-rows.ts'

/**
 * The keys and values of one sequence, and the states of its recurrent layers. Rows are token-major: layer l holds keys [length, kvHeads, keyDim] and values
 * [length, kvHeads, valueDim], so appending is one contiguous write and truncating is a shorter view.
 */
export interface KvCache extends AsyncDisposable {
  readonly layers: readonly LayerShape[]
  /** How the numbers of its rows are held. */
  readonly storage: StorageType
  /** Number of rows held (`past`). */
  readonly length: number
  /** [length] absolute position of each row, ascending unless a policy chose otherwise. */
  readonly positions: Int32Array
  /** The position that the next token takes when the caller does not say: one more than the greatest so far, 0 when empty. */
  readonly nextPosition: number
  /** Bytes allocated for rows, shared storage counted once by its owner; 0 after disposal. */
  readonly bytes: number
  /**
   * How many of the newest rows can always be forgotten one by one, given that they came in steps of no more rows than this; Infinity
   * without recurrent layers, of which nothing is lost.
   */
  readonly recentRows: number
  /** Rows [from, to) of a layer as they are held, in place; valid until the cache changes. */
  heldView(layer: number, from?: number, to?: number): HeldRows
  /** The same in float32: a copy where they are held otherwise. */
  view(layer: number, from?: number, to?: number): LayerRows
  /**
   * The newest state of a recurrent layer and the rows since; valid until the cache changes.
   *
   * @throws {ArgumentError} for a layer without a state
   */
  recurrentView(layer: number): RecurrentView
  /** Keeps the given rows of a step in the given order (all of them when absent). */
  append(rows: NewRows, accepted?: ArrayLike<number>): void
  /**
   * Forgets all rows from `length` on.
   *
   * @throws {CacheStateError} when the states of recurrent layers are not held for this length (`restorableLength`)
   */
  truncate(length: number): void
  /** The greatest length up to `atMost` that `truncate` can go back to: `atMost` itself without recurrent layers. */
  restorableLength(atMost: number): number
  /**
   * Keeps only the rows at these indices, in this order (ascending): what a retention policy does.
   *
   * @throws {CacheStateError} when rows would go and layers are recurrent: a state cannot forget one
   */
  gather(kept: ArrayLike<number>): void
  /** An independent cache with the same rows; storage is shared until one of the two writes into it. */
  fork(): KvCache
  /** A copy of the rows that can be stored or sent; `restoreKvCache` makes a cache of it. */
  snapshot(): KvSnapshot
}

export interface KvSnapshot {
  readonly layers: readonly LayerShape[]
  /** How the cache held its rows; float32 when absent. */
  readonly storage?: StorageType
  readonly positions: Int32Array
  readonly rows: readonly LayerRows[]
  /** One per layer, where any is recurrent. */
  readonly recurrent?: readonly (RecurrentView | undefined)[]
}
