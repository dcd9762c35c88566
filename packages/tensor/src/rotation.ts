/**
 * Orthogonal transforms of rows that spread outliers: a rotated row has about the same magnitude everywhere, so one scale for all of it loses
 * little (Chee et al. 2023, QuIP; Ashkboos et al. 2024, QuaRot). A row is cut into blocks of a power of two; each is multiplied by the Hadamard
 * matrix, and at equal places the blocks are mixed by a small orthogonal matrix:
 *
 *     x R = (x ∘ signs) (Q ⊗ H)
 *
 * With 9 blocks of 64 a row of 576 takes 15 multiplications and additions an element; a dense matrix would take 576.
 * Only square roots and arithmetic are used: a seed gives the same bits in every engine.
 */
import { ArgumentError } from './errors.ts'
import { type RandomStream, randomStream } from './random-stream.ts'

export interface Rotation {
  /** Elements of a row. */
  readonly width: number
  /** Elements of a block: a power of two that divides `width`. */
  readonly blockSize: number
  /** [width] of 1 and -1, multiplied in first; none are when absent. */
  readonly signs?: Float32Array
  /** Q [blocks, blocks] row-major, orthogonal; the blocks are left apart when absent. */
  readonly mixing?: Float32Array
}

const WIDEST_BLOCK = 512
const MOST_BLOCKS = 64

/**
 * Random signs, Hadamard blocks of up to 512, and a random orthogonal matrix between the blocks.
 *
 * @returns undefined where more than 64 blocks would be needed: a width with a large odd factor
 */
export function randomRotation(width: number, seed: number): Rotation | undefined {
  const blockSize = largestPowerOfTwo(width, WIDEST_BLOCK)
  const blocks = width / blockSize
  if (blocks > MOST_BLOCKS || width < 2) return undefined
  const random = randomStream({ seed })
  const signs = Float32Array.from({ length: width }, (_, at) => (random.bits(at) < 2 ** 31 ? 1 : -1))
  return blocks === 1 ? { width, blockSize, signs } : { width, blockSize, signs, mixing: randomOrthogonal(blocks, random, width) }
}

/** Hadamard blocks without signs and mixing: their own inverse. @returns undefined where no power of two from 8 to `widest` divides the width */
export function hadamardBlocks(width: number, widest: number): Rotation | undefined {
  const blockSize = largestPowerOfTwo(width, widest)
  return blockSize < 8 ? undefined : { width, blockSize }
}

/** [size, size] row-major: orthogonal and symmetric, all elements of the same magnitude. @param size  a power of two */
export function hadamardMatrix(size: number): Float32Array {
  const matrix = new Float32Array(size * size)
  const element = 1 / Math.sqrt(size)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) matrix[row * size + column] = hasOddBits(row & column) ? -element : element
  }
  return matrix
}

/**
 * Makes a function that multiplies rows by R in place. It owns scratch space, so it is called by one user at a time.
 *
 * @param scale  [width] that the rows are multiplied by first
 */
export function rowRotator(rotation: Rotation, scale?: Float32Array): (rows: Float32Array, start: number, count: number) => void {
  const { width, blockSize, signs, mixing } = rotation
  if (scale !== undefined && scale.length !== width) {
    throw new ArgumentError({ field: 'scale', found: `${scale.length} values`, expected: `${width}, the width of the rotation` })
  }
  const factors = new Float64Array(width)
  const norm = 1 / Math.sqrt(blockSize)
  for (let at = 0; at < width; at++) factors[at] = norm * (signs?.[at] ?? 1) * (scale?.[at] ?? 1)
  const mixer = mixing === undefined ? undefined : blockMixer(mixing, width / blockSize, blockSize)
  const row = new Float64Array(mixer?.size ?? width)
  return (rows, start, count) => {
    for (let first = start; first < start + count * width; first += width) {
      for (let at = 0; at < width; at++) row[at] = (rows[first + at] ?? 0) * (factors[at] ?? 0)
      transformBlocks(row, width, blockSize)
      if (mixer !== undefined) mixer.mix(row, rows, first, width)
      else for (let at = 0; at < width; at++) rows[first + at] = row[at] ?? 0
    }
  }
}

/** Unscaled Hadamard transform of each block in place. Three steps of the butterfly at a time: what costs is reading and writing, not adding. */
function transformBlocks(row: Float64Array, width: number, blockSize: number): void {
  let half = 1
  for (; half * 8 <= blockSize; half *= 8) {
    for (let group = 0; group < width; group += 8 * half) {
      for (let at = group; at < group + half; at++) eightSums(row, at, half)
    }
  }
  if (half * 4 <= blockSize) {
    for (let group = 0; group < width; group += 4 * half) {
      for (let at = group; at < group + half; at++) fourSums(row, at, half)
    }
    half *= 4
  }
  if (half * 2 > blockSize) return
  for (let group = 0; group < width; group += 2 * half) {
    for (let at = group; at < group + half; at++) {
      const a = row[at] ?? 0
      const b = row[at + half] ?? 0
      row[at] = a + b
      row[at + half] = a - b
    }
  }
}

function fourSums(row: Float64Array, at: number, stride: number): void {
  const second = at + stride
  const third = second + stride
  const fourth = third + stride
  const a = row[at] ?? 0
  const b = row[second] ?? 0
  const c = row[third] ?? 0
  const d = row[fourth] ?? 0
  row[at] = a + b + (c + d)
  row[second] = a - b + (c - d)
  row[third] = a + b - (c + d)
  row[fourth] = a - b - (c - d)
}

function eightSums(row: Float64Array, at: number, stride: number): void {
  const at2 = at + stride
  const at3 = at2 + stride
  const at4 = at3 + stride
  const at5 = at4 + stride
  const at6 = at5 + stride
  const at7 = at6 + stride
  const at8 = at7 + stride
  const a = row[at] ?? 0
  const b = row[at2] ?? 0
  const c = row[at3] ?? 0
  const d = row[at4] ?? 0
  const e = row[at5] ?? 0
  const f = row[at6] ?? 0
  const g = row[at7] ?? 0
  const h = row[at8] ?? 0
  const early1 = a + b + (c + d)
  const early2 = a - b + (c - d)
  const early3 = a + b - (c + d)
  const early4 = a - b - (c - d)
  const late1 = e + f + (g + h)
  const late2 = e - f + (g - h)
  const late3 = e + f - (g + h)
  const late4 = e - f - (g - h)
  row[at] = early1 + late1
  row[at2] = early2 + late2
  row[at3] = early3 + late3
  row[at4] = early4 + late4
  row[at5] = early1 - late1
  row[at6] = early2 - late2
  row[at7] = early3 - late3
  row[at8] = early4 - late4
}

interface BlockMixer {
  /** Elements of the rows that it reads: whole groups of three blocks, those beyond the width zeros. */
  readonly size: number
  mix(row: Float64Array, rows: Float32Array, first: number, width: number): void
}

/** Three blocks of the result from three blocks of the row at a time, with their nine weights at hand. */
function blockMixer(mixing: Float32Array, blocks: number, blockSize: number): BlockMixer {
  const padded = Math.ceil(blocks / 3) * 3
  const weights = new Float64Array(padded * padded)
  for (let row = 0; row < blocks; row++) weights.set(mixing.subarray(row * blocks, (row + 1) * blocks), row * padded)
  const mixed = new Float64Array(padded * blockSize)
  return {
    size: padded * blockSize,
    mix(row, rows, first, width) {
      mixed.fill(0)
      for (let to = 0; to < padded; to += 3) {
        for (let from = 0; from < padded; from += 3) mixThree(row, mixed, { weights, padded, from, to, blockSize })
      }
      for (let at = 0; at < width; at++) rows[first + at] = mixed[at] ?? 0
    },
  }
}

interface MixedBlocks {
  readonly weights: Float64Array
  readonly padded: number
  readonly from: number
  readonly to: number
  readonly blockSize: number
}

function mixThree(row: Float64Array, mixed: Float64Array, { weights, padded, from, to, blockSize }: MixedBlocks): void {
  const at = from * padded + to
  const a1 = weights[at] ?? 0
  const a2 = weights[at + 1] ?? 0
  const a3 = weights[at + 2] ?? 0
  const b1 = weights[at + padded] ?? 0
  const b2 = weights[at + padded + 1] ?? 0
  const b3 = weights[at + padded + 2] ?? 0
  const c1 = weights[at + 2 * padded] ?? 0
  const c2 = weights[at + 2 * padded + 1] ?? 0
  const c3 = weights[at + 2 * padded + 2] ?? 0
  const end = (from + 1) * blockSize
  for (let read = from * blockSize, write = to * blockSize; read < end; read++, write++) {
    const a = row[read] ?? 0
    const b = row[read + blockSize] ?? 0
    const c = row[read + 2 * blockSize] ?? 0
    mixed[write] = (mixed[write] ?? 0) + a * a1 + b * b1 + c * c1
    mixed[write + blockSize] = (mixed[write + blockSize] ?? 0) + a * a2 + b * b2 + c * c2
    mixed[write + 2 * blockSize] = (mixed[write + 2 * blockSize] ?? 0) + a * a3 + b * b3 + c * c3
  }
}

/** Rows of uniform numbers, each made orthogonal to those before it, twice against rounding. */
function randomOrthogonal(size: number, random: RandomStream, firstIndex: number): Float32Array {
  const rows: Float64Array[] = []
  for (let row = 0; row < size; row++) {
    const next = Float64Array.from({ length: size }, (_, column) => 2 * random.uniform(firstIndex + row * size + column) - 1)
    for (let pass = 0; pass < 2; pass++) {
      for (const before of rows) {
        let along = 0
        for (let at = 0; at < size; at++) along += (next[at] ?? 0) * (before[at] ?? 0)
        for (let at = 0; at < size; at++) next[at] = (next[at] ?? 0) - along * (before[at] ?? 0)
      }
      const length = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0))
      for (let at = 0; at < size; at++) next[at] = (next[at] ?? 0) / length
    }
    rows.push(next)
  }
  const matrix = new Float32Array(size * size)
  for (const [row, values] of rows.entries()) matrix.set(values, row * size)
  return matrix
}

function largestPowerOfTwo(width: number, most: number): number {
  let power = 1
  while (power * 2 <= most && width % (power * 2) === 0) power *= 2
  return power
}

function hasOddBits(bits: number): boolean {
  let rest = bits
  let isOdd = false
  for (; rest > 0; rest &= rest - 1) isOdd = !isOdd
  return isOdd
}
