/**
 * Where the rows of one sequence lie. The cache above it checks arguments and keeps positions; a storage only moves rows, so
 * other places (a device buffer of fixed capacity, one latent row per token, rows that another layer owns) are other
 * implementations of this interface.
 */
import type { HeldRows } from './held-rows.ts'
import type { LayerRows } from './new-rows.ts'
import type { RowRun } from './row-run.ts'

export interface RowStorage {
  /** Number of rows held. */
  readonly length: number
  /** Bytes allocated; those of shared storage are reported by one of its sharers only. */
  readonly bytes: number
  /** Rows [from, to) of a layer as they are held; valid until the storage changes. */
  view(layer: number, from: number, to: number): HeldRows
  /** Appends the runs, in order, of rows that are laid out as in `NewRows`. Either all layers get them or none. */
  append(layers: readonly LayerRows[], runs: readonly RowRun[]): void
  truncate(length: number): void
  /** Keeps the rows of the runs, which ascend. */
  gather(runs: readonly RowRun[]): void
  /** The same rows for another owner. */
  fork(): RowStorage
  /** Gives up the rows. Called once, as the last. */
  release(): void
}
