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
  const blocks = width / blockSize
  const factors = new Float64Array(width)
  const norm = 1 / Math.sqrt(blockSize)
  for (let at = 0; at < width; at++) factors[at] = norm * (signs?.[at] ?? 1) * (scale?.[at] ?? 1)
  const weights = mixing === undefined ? undefined : Float64Array.from(mixing)
  const row = new Float64Array(width)
  const mixed = new Float64Array(blockSize)
  return (rows, start, count) => {
    for (let first = start; first < start + count * width; first += width) {
      for (let at = 0; at < width; at++) row[at] = (rows[first + at] ?? 0) * (factors[at] ?? 0)
      transformBlocks(row, blockSize)
      if (weights === undefined) rows.set(row, first)
      else mixBlocks(row, weights, { blocks, blockSize, mixed, rows, first })
    }
  }
}

/** Unscaled Hadamard transform of each block, two steps of the butterfly at a time. */
function transformBlocks(row: Float64Array, blockSize: number): void {
  const width = row.length
  let half = 1
  if ((31 - Math.clz32(blockSize)) % 2 === 1) {
    for (let at = 0; at < width; at += 2) {
      const a = row[at] ?? 0
      const b = row[at + 1] ?? 0
      row[at] = a + b
      row[at + 1] = a - b
    }
    half = 2
  }
  for (; half < blockSize; half *= 4) {
    const second = 2 * half
    const third = 3 * half
    const span = 4 * half
    for (let group = 0; group < width; group += span) {
      for (let at = group; at < group + half; at++) {
        const a = row[at] ?? 0
        const b = row[at + half] ?? 0
        const c = row[at + second] ?? 0
        const d = row[at + third] ?? 0
        const sum = a + b
        const difference = a - b
        const laterSum = c + d
        const laterDifference = c - d
        row[at] = sum + laterSum
        row[at + half] = difference + laterDifference
        row[at + second] = sum - laterSum
        row[at + third] = difference - laterDifference
      }
    }
  }
}

interface MixedBlocks {
  readonly blocks: number
  readonly blockSize: number
  readonly mixed: Float64Array
  readonly rows: Float32Array
  readonly first: number
}

/** Each block of the result is a sum over all blocks, three of them in a pass. */
function mixBlocks(row: Float64Array, weights: Float64Array, { blocks, blockSize, mixed, rows, first }: MixedBlocks): void {
  for (let to = 0; to < blocks; to++) {
    mixed.fill(0)
    let from = 0
    for (; from + 3 <= blocks; from += 3) {
      const a = weights[from * blocks + to] ?? 0
      const b = weights[(from + 1) * blocks + to] ?? 0
      const c = weights[(from + 2) * blocks + to] ?? 0
      const start = from * blockSize
      const next = start + blockSize
      const last = next + blockSize
      for (let at = 0; at < blockSize; at++) {
        mixed[at] = (mixed[at] ?? 0) + a * (row[start + at] ?? 0) + b * (row[next + at] ?? 0) + c * (row[last + at] ?? 0)
      }
    }
    for (; from < blocks; from++) {
      const weight = weights[from * blocks + to] ?? 0
      const start = from * blockSize
      for (let at = 0; at < blockSize; at++) mixed[at] = (mixed[at] ?? 0) + weight * (row[start + at] ?? 0)
    }
    rows.set(mixed, first + to * blockSize)
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
