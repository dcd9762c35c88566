/**
 * The scale (and minimum) of one block. The packed value is `scale * (quant - zero) + correction` with quants 0 to 2^bits - 1 and zero 2^(bits - 1).
 *
 * Four bits: steps are coarse, so the scale that the extreme values ask for is not the best one. Several step widths around it are tried; for each,
 * values go to their nearest step, then scale and minimum are set to the least-squares solution for these steps; the least squared error wins.
 */
export interface FittedBlock {
  readonly scale: number
  readonly correction: number
}

const ZERO_BLOCK: FittedBlock = { scale: 0, correction: 0 }
const LEAST_MAGNITUDE = 2 ** -100
/** Step widths that are tried, relative to the one that the extremes ask for. */
const WIDTHS = [1, 0.96, 0.92, 0.88, 0.84, 0.8, 1.04] as const

/** Without a minimum: quants lie around zero. Writes the quants of the block. */
export function searchScale(block: Float32Array, filled: number, bits: 4 | 8, quants: Uint8Array): FittedBlock {
  const extreme = extremeOf(block, filled)
  if (Math.abs(extreme) < LEAST_MAGNITUDE) {
    quants.fill(1 << (bits - 1))
    return ZERO_BLOCK
  }
  if (bits === 8) {
    const scale = Math.fround(Math.abs(extreme) / 127)
    roundScaled(block, filled, scale, 128, 255, quants)
    return { scale, correction: 0 }
  }
  let best = 0
  let leastError = Number.POSITIVE_INFINITY
  for (const width of WIDTHS) {
    // The extreme value becomes -8, the one step that has no counterpart; the scale may so be negative.
    const trial = (extreme / -8) * width
    roundScaled(block, filled, trial, 8, 15, quants)
    const scale = bestScale(block, filled, quants)
    const error = squaredError(block, filled, quants, scale, 0)
    if (error < leastError) {
      leastError = error
      best = scale
    }
  }
  roundScaled(block, filled, best, 8, 15, quants)
  return { scale: best, correction: 0 }
}

/** With a minimum: quants span the range of the block. Writes the quants of the block. */
export function searchRange(block: Float32Array, filled: number, bits: 4 | 8, quants: Uint8Array): FittedBlock {
  const zero = 1 << (bits - 1)
  const levels = (1 << bits) - 1
  const { least, greatest } = rangeOf(block, filled)
  const span = greatest - least
  if (span < LEAST_MAGNITUDE) {
    quants.fill(zero)
    return { scale: 0, correction: Math.fround(least) }
  }
  let scale = Math.fround(span / levels)
  let minimum = least
  if (bits === 4) {
    let leastError = Number.POSITIVE_INFINITY
    for (const width of WIDTHS) {
      const trial = (span / levels) * width
      const middle = (least + greatest) / 2
      roundRange(block, filled, trial, middle - (trial * levels) / 2, levels, quants)
      const line = bestLine(block, filled, quants)
      roundRange(block, filled, line.scale, line.minimum, levels, quants)
      const error = squaredError(block, filled, quants, line.scale, line.minimum + zero * line.scale)
      if (error < leastError) {
        leastError = error
        scale = line.scale
        minimum = line.minimum
      }
    }
  }
  roundRange(block, filled, scale, minimum, levels, quants)
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

function roundScaled(block: Float32Array, filled: number, scale: number, zero: number, last: number, quants: Uint8Array): void {
  const inverse = 1 / scale
  for (let i = 0; i < filled; i++) {
    const quant = Math.floor((block[i] ?? 0) * inverse + zero + 0.5)
    quants[i] = Math.min(Math.max(quant, 0), last)
  }
}

function roundRange(block: Float32Array, filled: number, scale: number, minimum: number, levels: number, quants: Uint8Array): void {
  const inverse = 1 / scale
  for (let i = 0; i < filled; i++) {
    const quant = Math.floor(((block[i] ?? 0) - minimum) * inverse + 0.5)
    quants[i] = Math.min(Math.max(quant, 0), levels)
  }
}

/** The scale of least squared error for given quants around 8. */
function bestScale(block: Float32Array, filled: number, quants: Uint8Array): number {
  let products = 0
  let squares = 0
  for (let i = 0; i < filled; i++) {
    const quant = (quants[i] ?? 0) - 8
    products += quant * (block[i] ?? 0)
    squares += quant * quant
  }
  return Math.fround(products / squares)
}

/** Scale and minimum of least squared error for given quants from 0 (linear regression). */
function bestLine(block: Float32Array, filled: number, quants: Uint8Array): { readonly scale: number; readonly minimum: number } {
  let sumQuants = 0
  let sumSquares = 0
  let sumValues = 0
  let sumProducts = 0
  for (let i = 0; i < filled; i++) {
    const quant = quants[i] ?? 0
    const value = block[i] ?? 0
    sumQuants += quant
    sumSquares += quant * quant
    sumValues += value
    sumProducts += quant * value
  }
  const scale = Math.fround((filled * sumProducts - sumQuants * sumValues) / (filled * sumSquares - sumQuants * sumQuants))
  return { scale, minimum: (sumValues - scale * sumQuants) / filled }
}

/** Of `scale * (quant - 8) + correction`. */
function squaredError(block: Float32Array, filled: number, quants: Uint8Array, scale: number, correction: number): number {
  let error = 0
  for (let i = 0; i < filled; i++) {
    const difference = (block[i] ?? 0) - (scale * ((quants[i] ?? 0) - 8) + correction)
    error += difference * difference
  }
  return error
}
