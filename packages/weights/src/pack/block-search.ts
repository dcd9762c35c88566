/**
 * The scale (and minimum) of one block. The packed value is `scale * (quant - zero) + correction` with quants 0 to 2^bits - 1 and zero 2^(bits - 1).
 *
 * Four bits: steps are coarse, so the step that the extreme values ask for is not the best one. Several steps near it are tried; for each, values go
 * to their nearest step, and the least-squares solution for these quants is one division from sums of the same pass (the squared error is a constant minus
 * `gain`, so it needs no pass of its own). The best is refined once more from its own solution.
 *
 * Root-mean-square error relative to the weights, extremes only and searched, normally distributed weights (test/pack/block-search.test.ts): blocks of 32
 * with minima 7.81 % and 7.24 %, without 8.59 % and 8.12 %; blocks of 128 with minima 9.97 % and 9.31 %, without 10.27 % and 9.64 %. The search about
 * doubles the time of packing; nine steps instead of four would gain 0.06 points more.
 */
export interface FittedBlock {
  readonly scale: number
  readonly correction: number
}

/** Below this a block counts as constant: its scale would be a subnormal number. */
const LEAST_MAGNITUDE = 2 ** -100
/** Steps that are tried, relative to the one that the extremes ask for. */
const SCALE_WIDTHS = [1.08, 1, 0.92, 0.84, 0.76] as const
const RANGE_WIDTHS = [1.04, 0.96, 0.88, 0.8] as const

/** A line through values and quants, and by how much it lowers the squared error. Reused between blocks: one search at a time. */
const fit = { gain: 0, scale: 0, minimum: 0 }

/** Without a minimum: quants lie around zero. Writes the quants of the block. */
export function searchScale(block: Float32Array, filled: number, bits: 4 | 8, quants: Uint8Array): FittedBlock {
  const extreme = extremeOf(block, filled)
  const zero = 1 << (bits - 1)
  if (Math.abs(extreme) < LEAST_MAGNITUDE) {
    quants.fill(zero)
    return { scale: 0, correction: 0 }
  }
  let scale = Math.fround(Math.abs(extreme) / 127)
  if (bits === 4) {
    // The extreme value becomes -8, the step that has no counterpart; so the scale may be negative.
    const step = extreme / -8
    let best = 0
    scale = step
    for (const width of SCALE_WIDTHS) {
      fitScale(block, filled, step * width)
      if (fit.gain > best) {
        best = fit.gain
        scale = fit.scale
      }
    }
    fitScale(block, filled, scale)
    if (fit.gain > best) scale = fit.scale
    scale = Math.fround(scale)
  }
  writeQuants(block, filled, { scale, minimum: -zero * scale, levels: 2 * zero - 1 }, quants)
  return { scale, correction: 0 }
}

/** With a minimum: quants span the range of the block. Writes the quants of the block. */
export function searchRange(block: Float32Array, filled: number, bits: 4 | 8, quants: Uint8Array): FittedBlock {
  const zero = 1 << (bits - 1)
  const levels = 2 * zero - 1
  const { least, greatest } = rangeOf(block, filled)
  const span = greatest - least
  if (span < LEAST_MAGNITUDE) {
    quants.fill(zero)
    return { scale: 0, correction: Math.fround(least) }
  }
  let scale = span / levels
  let minimum = least
  if (bits === 4) {
    const step = scale
    const middle = (least + greatest) / 2
    let best = 0
    for (const width of RANGE_WIDTHS) {
      fitLine(block, filled, step * width, middle - (step * width * levels) / 2)
      if (fit.gain > best) {
        best = fit.gain
        scale = fit.scale
        minimum = fit.minimum
      }
    }
    fitLine(block, filled, scale, minimum)
    if (fit.gain > best) {
      scale = fit.scale
      minimum = fit.minimum
    }
  }
  scale = Math.fround(scale)
  writeQuants(block, filled, { scale, minimum, levels }, quants)
  return { scale, correction: Math.fround(minimum + zero * scale) }
}

/** The value of greatest magnitude, with its sign. */
function extremeOf(block: Float32Array, filled: number): number {
  let extreme = 0
  for (let i = 0; i < filled; i++) {
    const value = block[i] ?? 0
    if (Math.abs(value) > Math.abs(extreme)) extreme = value
  }
  return extreme
}

function rangeOf(block: Float32Array, filled: number): { readonly least: number; readonly greatest: number } {
  let least = block[0] ?? 0
  let greatest = least
  for (let i = 1; i < filled; i++) {
    const value = block[i] ?? 0
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  return { least, greatest }
}

/** Rounds to quants -8..7 of a trial step, and fits the scale to them: `sum(q x) / sum(q q)`. */
function fitScale(block: Float32Array, filled: number, step: number): void {
  const inverse = 1 / step
  let products = 0
  let squares = 0
  for (let i = 0; i < filled; i++) {
    const value = block[i] ?? 0
    const place = value * inverse + 8.5
    const quant = (place <= 0 ? 0 : place >= 15 ? 15 : place | 0) - 8
    products += quant * value
    squares += quant * quant
  }
  fit.gain = squares === 0 ? 0 : (products * products) / squares
  fit.scale = products / squares
}

/** Rounds to quants 0..15 of a trial line, and fits a line to them by linear regression. */
function fitLine(block: Float32Array, filled: number, step: number, start: number): void {
  const inverse = 1 / step
  const offset = 0.5 - start * inverse
  let sumQuants = 0
  let sumSquares = 0
  let sumValues = 0
  let sumProducts = 0
  for (let i = 0; i < filled; i++) {
    const value = block[i] ?? 0
    const place = value * inverse + offset
    const quant = place <= 0 ? 0 : place >= 15 ? 15 : place | 0
    sumQuants += quant
    sumSquares += quant * quant
    sumValues += value
    sumProducts += quant * value
  }
  const covariance = filled * sumProducts - sumQuants * sumValues
  const variance = filled * sumSquares - sumQuants * sumQuants
  fit.gain = variance === 0 ? 0 : (covariance * covariance) / variance
  fit.scale = covariance / variance
  fit.minimum = (sumValues - fit.scale * sumQuants) / filled
}

interface QuantLine {
  readonly scale: number
  readonly minimum: number
  readonly levels: number
}

function writeQuants(block: Float32Array, filled: number, { scale, minimum, levels }: QuantLine, quants: Uint8Array): void {
  const inverse = 1 / scale
  for (let i = 0; i < filled; i++) {
    const place = ((block[i] ?? 0) - minimum) * inverse + 0.5
    quants[i] = place <= 0 ? 0 : place >= levels ? levels : place | 0
  }
}
