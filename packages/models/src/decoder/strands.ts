import type { LayerDescription } from '../architectures/architecture.ts'

/**
 * Threads share the products of a layer's key/value heads, one product each: 3 heads keep 2 threads busy for the time of 4. Dealt out to strands
 * there is an even number of products, four at least. More strands than that cost a prompt more than they give (their sums are added up).
 * A window is fed from a block on that depends on the step, and its blocks would not be those of the strands' sums.
 */
export function strandsFor({ kvHeads, isLatent, window }: LayerDescription): number {
  if (isLatent || window !== undefined) return 1
  if (kvHeads === 1) return 4
  return kvHeads === 2 || kvHeads % 2 === 1 ? 2 : 1
}
