/**
 * Rows of keys or values between the two layouts: token-major [rows, heads, dim], as our caches hold them, and head-major, as exported
 * graphs take and give them: [heads, rows, dim], or [heads, dim, rows] where keys lie ready for the product. An exported graph costs
 * two passes over the cache in each step, this one and its own concatenation.
 */

/** Rows in head-major order: `count` of them at the front of `room` for each head. */
export interface HeadMajorRows {
  readonly count: number
  readonly heads: number
  readonly dim: number
  readonly room: number
  /** [heads, dim, rows] */
  readonly areColumns: boolean
}

/** Token-major rows as head-major, with zeros in the room behind them. */
export function toHeadMajor(rows: Float32Array, order: HeadMajorRows, into: Float32Array): void {
  const { count, heads, dim, room } = order
  const { perRow, perElement } = stridesOf(order)
  if (room > count) into.fill(0)
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < count; row++) {
      const from = (row * heads + head) * dim
      const to = head * room * dim + row * perRow
      for (let at = 0; at < dim; at++) into[to + at * perElement] = rows[from + at] ?? 0
    }
  }
}

/** The last `steps` of the head-major rows as token-major [steps, heads, dim]. */
export function lastRowsTokenMajor(all: Float32Array, order: HeadMajorRows, steps: number): Float32Array {
  const { count, heads, dim, room } = order
  const { perRow, perElement } = stridesOf(order)
  const rows = new Float32Array(steps * heads * dim)
  for (let row = 0, to = 0; row < steps; row++) {
    for (let head = 0; head < heads; head++) {
      const from = head * room * dim + (count - steps + row) * perRow
      for (let at = 0; at < dim; at++, to++) rows[to] = all[from + at * perElement] ?? 0
    }
  }
  return rows
}

function stridesOf({ dim, room, areColumns }: HeadMajorRows): { readonly perRow: number; readonly perElement: number } {
  return areColumns ? { perRow: 1, perElement: room } : { perRow: dim, perElement: 1 }
}
