/**
 * Rows of keys or values between the two layouts: token-major [rows, heads, dim], as our caches hold them, and head-major
 * [heads, rows, dim], as exported graphs take and give them. An exported graph costs two passes over the cache in each step, this one
 * and its own concatenation.
 */

/** Rows in head-major order: `count` of them at the front of `room` for each head. */
export interface HeadMajorRows {
  readonly count: number
  readonly heads: number
  readonly dim: number
  readonly room: number
}

/** Token-major rows as head-major, with zeros in the room behind them. */
export function toHeadMajor(rows: Float32Array, { count, heads, dim, room }: HeadMajorRows, into: Float32Array): void {
  for (let head = 0, to = 0; head < heads; head++) {
    for (let row = 0; row < count; row++) {
      const from = (row * heads + head) * dim
      for (let at = 0; at < dim; at++, to++) into[to] = rows[from + at] ?? 0
    }
    into.fill(0, to, to + (room - count) * dim)
    to += (room - count) * dim
  }
}

/** The last `steps` of the head-major rows as token-major [steps, heads, dim]. */
export function lastRowsTokenMajor(all: Float32Array, { count, heads, dim, room }: HeadMajorRows, steps: number): Float32Array {
  const rows = new Float32Array(steps * heads * dim)
  for (let row = 0, to = 0; row < steps; row++) {
    for (let head = 0; head < heads; head++) {
      const from = (head * room + count - steps + row) * dim
      for (let at = 0; at < dim; at++, to++) rows[to] = all[from + at] ?? 0
    }
  }
  return rows
}
