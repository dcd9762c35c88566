/**
 * One pass over a row of logits finds everything later passes rely on: the best token, whether the row is usable, and the
 * maximum of each block of 64, from which top-k learns which blocks it may skip. A second pass sums exponentials for the
 * log-probability. A table of steps of 1/64 with a polynomial is quicker than `Math.exp`, and has the same bits in every engine.
 */
import { expOfNegative, logOf } from '@foretoken/tensor'

/** Logits per block of `RowScan.blockMaxima`. */
export const BLOCK = 64

/** Below e^-60 of the largest a term changes no sum in float64, and its token is never drawn. */
export const NEGLIGIBLE = 60

const STEPS = 64
const TABLE = new Float64Array(NEGLIGIBLE * STEPS + 1)
for (let i = 0; i < TABLE.length; i++) TABLE[i] = expOfNegative(-i / STEPS)

/** What one pass over a row found. Reused from row to row. */
export interface RowScan {
  /** Lowest id among those with the largest logit; -1 when every logit is -Infinity or one is not a number. */
  best: number
  max: number
  /** Index of the first NaN or +Infinity, -1 when there is none. */
  broken: number
  /** [ceil(vocab / 64)] largest logit of each block. */
  readonly blockMaxima: Float32Array
}

export function createRowScan(vocab: number): RowScan {
  return { best: -1, max: Number.NEGATIVE_INFINITY, broken: -1, blockMaxima: new Float32Array(Math.ceil(vocab / BLOCK)) }
}

export function scanRow(logits: Float32Array, scan: RowScan): void {
  const { blockMaxima } = scan
  const vocab = logits.length
  let bestBlock = 0
  let max = Number.NEGATIVE_INFINITY
  let sum = 0 // of the maxima: NaN when one of them is, for Math.max hands NaN on
  for (let block = 0, start = 0; start < vocab; block++, start += BLOCK) {
    const end = Math.min(start + BLOCK, vocab)
    let blockMax = Number.NEGATIVE_INFINITY
    for (let i = start; i < end; i++) blockMax = Math.max(blockMax, logits[i] ?? 0)
    blockMaxima[block] = blockMax
    sum += blockMax
    if (blockMax > max) {
      max = blockMax
      bestBlock = start
    }
  }
  const isBroken = Number.isNaN(sum) || max === Number.POSITIVE_INFINITY
  scan.broken = isBroken ? logits.findIndex((x) => Number.isNaN(x) || x === Number.POSITIVE_INFINITY) : -1
  scan.best = isBroken || max === Number.NEGATIVE_INFINITY ? -1 : logits.indexOf(max, bestBlock)
  scan.max = max
}

/** e^-distance for 0 <= distance < NEGLIGIBLE, with a relative error below 1e-14. */
export function exponential(distance: number): number {
  const step = (distance * STEPS + 0.5) | 0
  const rest = step * (1 / STEPS) - distance // within 1/128: the first term left out is below 4e-16
  const square = rest * rest
  return (TABLE[step] ?? 0) * (1 + rest + square * (1 / 2 + rest * (1 / 6) + square * (1 / 24 + rest * (1 / 120))))
}

/** An upper bound of `exponential` that costs one look-up. */
export function exponentialBound(distance: number): number {
  return TABLE[(distance * STEPS) | 0] ?? 0
}

/** Natural logarithm of the sum of e^logit over a row without broken values whose maximum is known. */
export function logSumExp(logits: Float32Array, max: number): number {
  return max + logOf(sumOfWeights(logits, max))
}

/** Sum of e^(logit - max). */
function sumOfWeights(logits: Float32Array, max: number): number {
  let sum = 0
  for (let i = 0; i < logits.length; i++) {
    const distance = max - (logits[i] ?? 0)
    if (distance < NEGLIGIBLE) {
      // `exponential`, written out: the call is not always inlined here, and then costs more than the sum.
      const step = (distance * STEPS + 0.5) | 0
      const rest = step * (1 / STEPS) - distance
      const square = rest * rest
      sum += (TABLE[step] ?? 0) * (1 + rest + square * (1 / 2 + rest * (1 / 6) + square * (1 / 24 + rest * (1 / 120))))
    }
  }
  return sum
}

/**
 * Sums e^-((max - logit) * sharpness), in all and per interval of that distance.
 *
 * @param masses  [intervals] receives the sums of equal parts of the distances from 0 to NEGLIGIBLE
 */
export function weighByDistance(logits: Float32Array, max: number, sharpness: number, masses: Float64Array): number {
  const scale = masses.length / NEGLIGIBLE
  let sum = 0
  masses.fill(0)
  for (let i = 0; i < logits.length; i++) {
    const distance = (max - (logits[i] ?? 0)) * sharpness
    if (distance < NEGLIGIBLE) {
      const step = (distance * STEPS + 0.5) | 0
      const rest = step * (1 / STEPS) - distance
      const square = rest * rest
      const weight = (TABLE[step] ?? 0) * (1 + rest + square * (1 / 2 + rest * (1 / 6) + square * (1 / 24 + rest * (1 / 120))))
      const interval = (distance * scale) | 0
      sum += weight
      masses[interval] = (masses[interval] ?? 0) + weight
    }
  }
  return sum
}
