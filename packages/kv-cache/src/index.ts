// The cache of one sequence.
export type { KvCache, KvSnapshot } from './kv-cache.ts'
// What a step returns and what a layer's rows look like.
export type { LayerRows, LayerShape, NewRows } from './new-rows.ts'
