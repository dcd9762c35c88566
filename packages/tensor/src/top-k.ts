/**
 * The k greatest scores of a row. A heap of the k best so far has the worst of them on top; nearly every score of a long row is
 * compared with that one and dropped, so the row is read once and little else happens: O(n + k log k log(n/k)) on average.
 */
import { ArgumentError } from './errors.ts'

/** Best first; equal scores in ascending order of their index. */
export interface TopK {
  readonly values: Float32Array
  readonly indices: Int32Array
}

/**
 * @param row  [n] scores. NaN is never chosen; -Infinity is, after everything else.
 * @param k    how many; fewer come back when the row has fewer that are not NaN
 * @throws {ArgumentError} when `k` is not a whole number >= 0
 */
export function topK(row: Float32Array, k: number): TopK {
  if (!Number.isSafeInteger(k) || k < 0) throw new ArgumentError({ field: 'k', found: String(k), expected: 'a whole number >= 0' })
  const room = Math.min(k, row.length)
  const values = new Float32Array(room)
  const indices = new Int32Array(room)
  let held = 0
  let i = 0
  for (; i < row.length && held < room; i++) {
    const value = row[i] ?? 0
    if (Number.isNaN(value)) continue
    values[held] = value
    indices[held] = i
    held++
  }
  for (let parent = (held >> 1) - 1; parent >= 0; parent--) sink(values, indices, parent, held)
  if (held > 0) {
    let worst = values[0] ?? 0
    for (; i < row.length; i++) {
      const value = row[i] ?? 0
      if (!(value > worst)) continue // an equal one has a greater index, so it is worse; NaN compares false
      values[0] = value
      indices[0] = i
      sink(values, indices, 0, held)
      worst = values[0] ?? 0
    }
  }
  // Take the worst off the top and put it behind the rest, until the rest is one.
  for (let end = held - 1; end > 0; end--) {
    swap(values, indices, 0, end)
    sink(values, indices, 0, end)
  }
  return held === room ? { values, indices } : { values: values.slice(0, held), indices: indices.slice(0, held) }
}

/** Lets the entry at `parent` sink below worse ones. */
function sink(values: Float32Array, indices: Int32Array, parent: number, held: number): void {
  let at = parent
  for (;;) {
    let child = 2 * at + 1
    if (child >= held) return
    if (child + 1 < held && isWorse(values, indices, child + 1, child)) child++
    if (!isWorse(values, indices, child, at)) return
    swap(values, indices, child, at)
    at = child
  }
}

function isWorse(values: Float32Array, indices: Int32Array, a: number, b: number): boolean {
  const x = values[a] ?? 0
  const y = values[b] ?? 0
  return x < y || (x === y && (indices[a] ?? 0) > (indices[b] ?? 0))
}

function swap(values: Float32Array, indices: Int32Array, a: number, b: number): void {
  const value = values[a] ?? 0
  values[a] = values[b] ?? 0
  values[b] = value
  const index = indices[a] ?? 0
  indices[a] = indices[b] ?? 0
  indices[b] = index
}
