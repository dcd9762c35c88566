/**
 * Which nodes of a proposal are worth their rows. A node's value is the probability that it is accepted, so it never exceeds its parent's, and the
 * m nodes of greatest value form a tree; their sum is the number of tokens that they bring. Every m is tried, because times of steps do not grow
 * evenly, and the one with the most tokens per millisecond wins.
 */

export interface Subtree {
  /** Indices of the nodes, ascending; empty when a plain step is the best. */
  readonly nodes: readonly number[]
  /** Tokens expected from a step. */
  readonly tokensPerStep: number
  /** Tokens per millisecond, over those of a plain step. */
  readonly gain: number
}

/**
 * @param values  [nodes] probability of each node to be accepted, at most that of its parent
 * @param stepMs  time of a step with so many rows
 */
export function bestSubtree(values: ArrayLike<number>, stepMs: (rows: number) => number): Subtree {
  const order = Array.from(values, (_, node) => node).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
  const plainMs = stepMs(1)
  let tokens = 1
  let best = { count: 0, tokensPerStep: 1, gain: 1 }
  for (const [index, node] of order.entries()) {
    tokens += values[node] ?? 0
    const gain = (tokens * plainMs) / stepMs(index + 2)
    if (gain > best.gain) best = { count: index + 1, tokensPerStep: tokens, gain }
  }
  const { count, ...expected } = best
  return { nodes: order.slice(0, count).sort((a, b) => a - b), ...expected }
}
