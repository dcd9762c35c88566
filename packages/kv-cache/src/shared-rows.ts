/** Which caches lie together in a pool: the calls by which whoever runs a step of several sequences moves them in and out. */
import { ArgumentError } from '@foretoken/tensor'
import type { HeldRows, StorageType } from './held-rows.ts'
import { HostRowStorage } from './host-row-storage.ts'
import type { KvCache } from './kv-cache.ts'
import { PooledRowStorage } from './pooled-row-storage.ts'
import { type Newcomer, RowPool } from './row-pool.ts'
import { SequenceCache } from './sequence-cache.ts'

/** Rows of several caches side by side, [rows, slots, kvHeads, …], for one step of all their sequences. */
export interface SharedRows {
  /** Slots of the views; some may belong to nobody, or to a cache that does not take part. */
  readonly slots: number
  /** The slot of a cache in it; undefined for any other. */
  slotOf(cache: KvCache): number | undefined
  /**
   * Views of rows [from, to) of the whole blocks of all slots: keys [to - from, slots, kvHeads, keyDim], values likewise. A slot whose cache
   * has fewer whole blocks has finite numbers there. Valid until a cache changes.
   */
  blocks(layer: number, from: number, to: number): HeldRows
  /** Views of the first `rows` rows since each slot's own last whole block; what a slot does not have is finite. */
  tails(layer: number, rows: number): HeldRows
}

/** Whether the rows of a cache can lie in a pool: a cache of this package without recurrent layers. */
export function canShareRows(cache: KvCache): boolean {
  return cache instanceof SequenceCache && cache.layers.every(({ recurrent }) => recurrent === undefined)
}

/**
 * Moves the rows of caches side by side, and keeps them there as long as the same caches keep coming: the next call copies nothing. The caches stay
 * what they are to their owners. One that is truncated below its last whole block or selected from leaves by itself; one that stays away for a
 * while is moved out, as soon as that is worth a copy of the others.
 *
 * @param caches     distinct ones of the same shape, whose rows are held in the same way
 * @param blockRows  rows of a block
 * @throws {ArgumentError} for a cache that cannot share its rows, that comes twice, or that holds them in another way
 */
export function shareRows(caches: readonly KvCache[], blockRows: number): SharedRows {
  const own = new Set(caches.map(sequenceCache))
  if (own.size < caches.length) throw new ArgumentError({ field: 'caches', found: 'a cache twice', expected: 'distinct caches' })
  const storages = new Set([...own].map(({ storage }) => storage))
  if (storages.size > 1)
    throw new ArgumentError({ field: 'caches', found: [...storages].join(' and '), expected: 'one way of holding rows' })
  const pool = fullestPool(own, blockRows)
  const members: PooledRowStorage[] = []
  const newcomers: Newcomer[] = []
  for (const cache of own) {
    const rows = cache.rowStorage
    if (rows instanceof PooledRowStorage && rows.pool === pool) members.push(rows)
    else newcomers.push(newcomer(pool, cache))
  }
  pool.seat(members, newcomers)
  return {
    slots: pool.slots,
    slotOf: (cache) => {
      const rows = cache instanceof SequenceCache ? cache.rowStorage : undefined
      return rows instanceof PooledRowStorage && rows.pool === pool ? rows.slot : undefined
    },
    blocks: (layer, from, to) => pool.blocks(layer, from, to),
    tails: (layer, rows) => pool.tails(layer, rows),
  }
}

/** Whether the rows of a cache lie beside those of others. */
export function sharesRows(cache: KvCache): boolean {
  return cache instanceof SequenceCache && cache.rowStorage instanceof PooledRowStorage
}

/** Moves the rows of a cache to where they are its own again; does nothing to one whose rows are. */
export function ownRows(cache: KvCache): void {
  const rows = cache instanceof SequenceCache ? cache.rowStorage : undefined
  if (rows instanceof PooledRowStorage) rows.leave()
}

function sequenceCache(cache: KvCache): SequenceCache {
  if (cache instanceof SequenceCache && canShareRows(cache)) return cache
  throw new ArgumentError({
    field: 'caches',
    found: 'a cache that cannot share its rows',
    expected: 'caches of this package without states',
  })
}

/** The pool that holds most of the rows, so that the least is copied; a new one where no cache is in any. */
function fullestPool(caches: Iterable<SequenceCache>, blockRows: number): RowPool {
  const rowsIn = new Map<RowPool, number>()
  let fullest: RowPool | undefined
  let layers: SequenceCache['layers'] = []
  let storage: StorageType = 'float32'
  for (const cache of caches) {
    layers = cache.layers
    storage = cache.storage
    const rows = cache.rowStorage
    if (!(rows instanceof PooledRowStorage) || rows.pool.blockRows !== blockRows) continue
    const sum = (rowsIn.get(rows.pool) ?? 0) + rows.length + 1
    rowsIn.set(rows.pool, sum)
    if (fullest === undefined || sum > (rowsIn.get(fullest) ?? 0)) fullest = rows.pool
  }
  return fullest ?? new RowPool(layers, blockRows, storage)
}

function newcomer(pool: RowPool, cache: SequenceCache): Newcomer {
  const rows = cache.rowStorage
  return {
    length: rows.length,
    rows,
    enter(slot) {
      if (rows instanceof PooledRowStorage) return rows.movedTo(pool, slot)
      if (!(rows instanceof HostRowStorage)) throw new TypeError('a cache that shares no rows holds them on the host')
      const pooled = new PooledRowStorage(pool, slot, rows.length, rows.sibling(), (storage) => {
        cache.rowStorage = storage
      })
      cache.rowStorage = pooled
      rows.release()
      return pooled
    },
  }
}
