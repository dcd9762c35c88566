import type { LayerDescription } from '../architectures/architecture.ts'

/**
 * Threads share the products of a layer's key/value heads, one product each: 3 heads keep 2 threads busy for the time of 4. Dealt out to strands
 * there are enough products for any usual number of threads (3 heads and 4 strands: the past of 2,048 rows in three quarters of the time).
 * A window is fed from a block on that depends on the step, and its blocks would not be those of the strands' sums.
 */
export function strandsFor({ kvHeads, isLatent, window }: LayerDescription): number {
  if (isLatent || window !== undefined || kvHeads % 8 === 0) return 1
  return kvHeads % 4 === 0 ? 2 : 4
}
