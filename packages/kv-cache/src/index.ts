// The cache of one sequence.

// Errors.
export { CacheCapacityError } from './errors.ts'
export type { KvCache, KvSnapshot } from './kv-cache.ts'
// What a step returns and what a layer's rows look like.
export type { LayerRows, LayerShape, NewRows } from './new-rows.ts'
export { createKvCache, type KvCacheOptions, restoreKvCache } from './sequence-cache.ts'
