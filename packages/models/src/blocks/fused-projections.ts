/**
 * Orders of the rows of one weight that holds queries, keys and values together. Attention here wants all queries, then all keys, then
 * all values; files of the GPT-NeoX lineage (Bloom, Falcon) store them head by head, so that a slice of the weight is a slice of heads.
 */

/** How the rows lie: for each key/value head its queries, then its key, then its value. */
export interface InterleavedHeads {
  readonly kvHeads: number
  /** Query heads of each key/value head. */
  readonly group: number
  readonly headDim: number
}

/** [(group + 2) * kvHeads * headDim] the stored row of each row, in the order queries, keys, values. */
export function interleavedRowOrder({ kvHeads, group, headDim }: InterleavedHeads): Int32Array {
  const order = new Int32Array(kvHeads * (group + 2) * headDim)
  let at = 0
  const take = (first: number, count: number): void => {
    for (let head = 0; head < kvHeads; head++) {
      const start = (head * (group + 2) + first) * headDim
      for (let row = 0; row < count * headDim; row++) order[at++] = start + row
    }
  }
  take(0, group)
  take(group, 1)
  take(group + 1, 1)
  return order
}

/** For each row of the interleaved order, where it is among all queries, all keys, all values (llama.cpp's `attn_qkv`). */
export function separatedRowOrder(heads: InterleavedHeads): Int32Array {
  const order = interleavedRowOrder(heads)
  const inverse = new Int32Array(order.length)
  for (let row = 0; row < order.length; row++) inverse[order[row] ?? 0] = row
  return inverse
}
