/**
 * The rows of a cache that lie in a pool, beside those of others. The cache goes on as before: what it appends is written into the pool,
 * what it shows is copied out. Where its rows have to move (a truncation below the last whole block, a selection), it leaves the pool.
 */
import { allocate, type HeldRows } from './held-rows.ts'
import type { HostRowStorage } from './host-row-storage.ts'
import type { LayerRows } from './new-rows.ts'
import type { RowPool } from './row-pool.ts'
import type { RowRun } from './row-run.ts'
import type { RowStorage } from './row-storage.ts'

export class PooledRowStorage implements RowStorage {
  readonly pool: RowPool
  /** Place in the pool; the pool changes it when it is arranged anew. */
  slot: number
  /** Runs of the pool since the cache last took part in one. */
  idleRuns = 0
  readonly #home: HostRowStorage
  readonly #replaceBy: (storage: RowStorage) => void
  #length: number

  /**
   * @param length     rows that the pool holds for this storage already
   * @param home       an empty storage, where the rows go when they leave
   * @param replaceBy  gives the cache another storage in this one's place
   */
  constructor(pool: RowPool, slot: number, length: number, home: HostRowStorage, replaceBy: (storage: RowStorage) => void) {
    this.pool = pool
    this.slot = slot
    this.#length = length
    this.#home = home
    this.#replaceBy = replaceBy
  }

  get length(): number {
    return this.#length
  }

  /** Those of the whole pool for one of its caches, 0 for the others. */
  get bytes(): number {
    return this.pool.owner === this ? this.pool.bytes : 0
  }

  view(layer: number, from: number, to: number): HeldRows {
    const { keyWidth, valueWidth } = this.pool.widths(layer)
    const { storage } = this.pool
    const copy = { keys: allocate(storage, (to - from) * keyWidth), values: allocate(storage, (to - from) * valueWidth) }
    this.pool.copyOut(this, layer, from, to, copy)
    return copy
  }

  append(layers: readonly LayerRows[], runs: readonly RowRun[]): void {
    const added = runs.reduce((sum, { count }) => sum + count, 0)
    if (added === 0) return
    this.pool.reserve(this.#length + added, added)
    for (const { from, count } of runs) {
      for (let row = from; row < from + count; row++) {
        this.pool.write(this.slot, this.#length, layers, row)
        this.#length++
      }
    }
  }

  truncate(length: number): void {
    const { blockRows } = this.pool
    if (length >= this.#length - (this.#length % blockRows)) this.#length = length
    else this.leave(length)
  }

  gather(runs: readonly RowRun[]): void {
    this.leave().gather(runs)
  }

  fork(): RowStorage {
    return this.#copyTo(this.#home.sibling(), this.#length)
  }

  release(): void {
    this.pool.vacate(this)
    this.#length = 0
  }

  /** The storage of the same cache in another pool, which has copied its rows already. */
  movedTo(pool: RowPool, slot: number): PooledRowStorage {
    const moved = new PooledRowStorage(pool, slot, this.#length, this.#home, this.#replaceBy)
    this.pool.vacate(this)
    this.#replaceBy(moved)
    return moved
  }

  /** Moves the first rows out of the pool, and gives the cache the storage where they are then. */
  leave(rows = this.#length): RowStorage {
    const storage = this.#copyTo(this.#home, rows)
    this.pool.vacate(this)
    this.#replaceBy(storage)
    return storage
  }

  #copyTo(storage: HostRowStorage, rows: number): HostRowStorage {
    storage.receive(rows, (layer, into) => this.pool.copyOut(this, layer, 0, rows, into))
    return storage
  }
}
