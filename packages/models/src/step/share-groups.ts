/**
 * Which sequences run together. A run reads the weights once, and for each of its sequences as many cached blocks as the longest of them has: the
 * shorter ones are given hidden rows. So sequences of similar length go together, such that weights and rows that are read are the fewest bytes.
 */

/**
 * @param blocks       [sequences] whole blocks in the cache of each
 * @param weightBytes  that a run reads
 * @param blockBytes   of one block of one sequence, in all layers
 * @returns            groups of indices into `blocks`; within a group they ascend
 */
export function shareGroups(blocks: readonly number[], weightBytes: number, blockBytes: number): readonly (readonly number[])[] {
  const order = blocks.map((_, index) => index).sort((a, b) => (blocks[a] ?? 0) - (blocks[b] ?? 0) || a - b)
  // least[end]: fewest bytes for the `end` shortest sequences, whose last group begins at begins[end]
  const least = [0]
  const begins = [0]
  for (let end = 1; end <= order.length; end++) {
    const longest = blocks[order[end - 1] ?? 0] ?? 0
    least[end] = Number.POSITIVE_INFINITY
    for (let begin = 0; begin < end; begin++) {
      const bytes = (least[begin] ?? 0) + weightBytes + (end - begin) * longest * blockBytes
      if (bytes >= (least[end] ?? 0)) continue
      least[end] = bytes
      begins[end] = begin
    }
  }
  const groups: number[][] = []
  for (let end = order.length; end > 0; end = begins[end] ?? 0) groups.unshift(order.slice(begins[end], end).sort((a, b) => a - b))
  return groups
}
