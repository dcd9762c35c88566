/**
 * Rows of keys or values between the two layouts: token-major [rows, heads, dim], as our caches hold them, and head-major
 * [heads, rows, dim], as exported graphs take and give them. An exported graph costs two passes over the cache in each step, this one
 * and its own concatenation.
 */

/** Token-major rows as head-major. */
export function toHeadMajor(rows: Float32Array, heads: number, dim: number, into: Float32Array): void {
  const count = into.length / (heads * dim)
  for (let head = 0, to = 0; head < heads; head++) {
    for (let row = 0; row < count; row++) {
      const from = (row * heads + head) * dim
      for (let at = 0; at < dim; at++, to++) into[to] = rows[from + at] ?? 0
    }
  }
}

/** The last `count` of `total` head-major rows as token-major [count, heads, dim]. */
export function lastRowsTokenMajor(all: Float32Array, total: number, count: number, heads: number, dim: number): Float32Array {
  const rows = new Float32Array(count * heads * dim)
  for (let row = 0, to = 0; row < count; row++) {
    for (let head = 0; head < heads; head++) {
      const from = (head * total + total - count + row) * dim
      for (let at = 0; at < dim; at++, to++) rows[to] = all[from + at] ?? 0
    }
  }
  return rows
}
