/**
 * Operations on a row of scores (logits of one token): the last axis of a tensor, on the host. A part of a larger array is passed
 * as `array.subarray(from, to)`, which copies nothing. Sums are taken in float64, in order, with our own exponential
 * (`portable-math.ts`), so results have the same bits in every engine.
 *
 * -Infinity is a score like any other: a masked entry, with probability exactly 0.
 */
import { ArgumentError, ShapeError } from './errors.ts'
import { expOfNegative, logOf } from './portable-math.ts'

/**
 * Probabilities of a row.
 *
 * @param row     [n] scores
 * @param target  [n] receives them; may be `row` itself; a fresh array when absent
 * @returns       `target`
 * @throws {ArgumentError} when no distribution exists: NaN or +Infinity among the scores, all of them -Infinity, or none at all.
 *   What `target` holds is then unspecified.
 */
export function softmax(row: Float32Array, target: Float32Array = new Float32Array(row.length)): Float32Array {
  checkTarget(row, target)
  const greatest = maximum(row)
  let sum = 0
  for (let i = 0; i < row.length; i++) {
    const term = expOfNegative((row[i] ?? 0) - greatest)
    target[i] = term
    sum += term
  }
  if (!(sum > 0)) throw noDistribution(row)
  const scale = 1 / sum
  for (let i = 0; i < row.length; i++) target[i] = (target[i] ?? 0) * scale
  return target
}

/**
 * Natural logarithms of the probabilities of a row; -Infinity stays -Infinity. Parameters and errors as for `softmax`; on an error
 * `target` is untouched.
 */
export function logSoftmax(row: Float32Array, target: Float32Array = new Float32Array(row.length)): Float32Array {
  checkTarget(row, target)
  const total = logSumExp(row)
  if (!Number.isFinite(total)) throw noDistribution(row)
  for (let i = 0; i < row.length; i++) target[i] = (row[i] ?? 0) - total
  return target
}

/** log of the sum of exp of a row: -Infinity for an empty row or only -Infinity, +Infinity if there is one, NaN if there is one. */
export function logSumExp(row: Float32Array): number {
  const greatest = maximum(row)
  let sum = 0
  for (let i = 0; i < row.length; i++) sum += expOfNegative((row[i] ?? 0) - greatest)
  if (sum > 0) return greatest + logOf(sum)
  // A difference was NaN: from a NaN, or from infinity minus infinity.
  for (let i = 0; i < row.length; i++) if (Number.isNaN(row[i])) return Number.NaN
  return greatest
}

/** Index of the greatest score, the lowest among equals. NaN is less than everything; -1 for an empty row or only NaN. */
export function argmax(row: Float32Array): number {
  let best = -1
  let greatest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < row.length; i++) {
    const value = row[i] ?? 0
    if (value > greatest) {
      greatest = value
      best = i
    }
  }
  // Nothing exceeds -Infinity in a row of nothing else: its first entry that is not NaN.
  return best >= 0 ? best : row.indexOf(Number.NEGATIVE_INFINITY)
}

/** The greatest score; -Infinity for an empty row. NaN is passed over. */
function maximum(row: Float32Array): number {
  let greatest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < row.length; i++) {
    const value = row[i] ?? 0
    if (value > greatest) greatest = value
  }
  return greatest
}

function checkTarget(row: Float32Array, target: Float32Array): void {
  if (target.length !== row.length) {
    throw new ShapeError({ field: 'target', found: `${target.length} elements`, expected: `${row.length}, as in the row` })
  }
}

function noDistribution(row: Float32Array): ArgumentError {
  const found =
    row.length === 0
      ? 'an empty row'
      : row.some(Number.isNaN)
        ? 'NaN'
        : row.includes(Number.POSITIVE_INFINITY)
          ? '+Infinity'
          : 'only -Infinity'
  return new ArgumentError({ field: 'row', found, expected: 'scores of which at least one is finite and none is NaN or +Infinity' })
}
