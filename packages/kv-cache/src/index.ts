// The cache of one sequence.
export type { StateRetention } from './recurrent-history.ts'
export type { KvCache, KvSnapshot } from './kv-cache.ts'
export { createKvCache, type KvCacheOptions, restoreKvCache } from './sequence-cache.ts'
// The rows of several caches side by side.
export { canShareRows, ownRows, type SharedRows, shareRows, sharesRows } from './shared-rows.ts'
// What a step returns and what a layer's rows look like.
export type { LayerRows, LayerShape, NewRows, RecurrentRows, RecurrentShape, RecurrentView } from './new-rows.ts'
export type { HeldRows, StorageType } from './held-rows.ts'
// Errors.
export { CacheCapacityError, CacheStateError } from './errors.ts'
