/**
 * Random numbers with an address instead of a history: (seed, sequence, position, lane, index). A sequence draws the same noise
 * for position 17 whether it is decoded alone or in a batch, token by token or speculatively, in Node or in a page.
 *
 * The address is the counter of Philox: index / 4, position, sequence, and lane; the seed is its key. Lanes keep uses at the same
 * position apart (0 for choosing a token, others for whatever else a caller decides by chance). Within a lane, an index gives the
 * same bits to every method, so one index is for one decision.
 */
import { ArgumentError } from './errors.ts'
import { normalQuantile } from './normal-quantile.ts'
import { philox } from './philox.ts'
import { logOf, minusLogOneMinus } from './portable-math.ts'

export interface RandomAddress {
  /** Whole number in [0, 2^64); a number up to 2^53 or a bigint. */
  readonly seed: number | bigint
  /** Whole number in [0, 2^32): one per sequence of a batch. Default 0. */
  readonly sequence?: number
  /** Whole number in [0, 2^32): of the token that is decided. Default 0. */
  readonly position?: number
  /** Whole number in [0, 2^16). Default 0. */
  readonly lane?: number
}

/** Indices are whole numbers in [0, 2^32). */
export interface RandomStream {
  /** 32 random bits as an unsigned number. */
  bits(index: number): number
  /** In [0, 1): a multiple of 2^-32. */
  uniform32(index: number): number
  /** In [0, 1): a multiple of 2^-53. */
  uniform(index: number): number
  /**
   * Standard Gumbel noise, -log(-log(u)): the argmax of log-probabilities plus this is a sample. Made of 32 bits, of 64 in the
   * upper 1/1024 of the distribution, where the maximum of a large vocabulary lies.
   */
  gumbel(index: number): number
  /** Standard normal, from 52 bits by the inverse of its distribution function: |x| <= 8.3. */
  normal(index: number): number
  /** A whole number in [0, n), each exactly as likely. @throws {ArgumentError} unless n is a whole number in [1, 2^32] */
  below(n: number, index: number): number
  /** `gumbel(0)`, `gumbel(1)`, … rounded to float32. */
  fillGumbel(target: Float32Array): Float32Array
  /** `uniform(0)`, `uniform(1)`, … */
  fillUniform(target: Float64Array): Float64Array
  /** `normal(0)`, `normal(1)`, … rounded to float32. */
  fillNormal(target: Float32Array): Float32Array
}

// Lane words above the 16 bits of the caller: further bits for the same index.
const SECOND_WORDS = 0x10000
const REJECTED = 0x20000

const TWO_TO_MINUS_32 = 2 ** -32
const TWO_TO_MINUS_53 = 2 ** -53

/** The numbers at one address. @throws {ArgumentError} for a part of the address outside its range */
export function randomStream(address: RandomAddress): RandomStream {
  const { sequence = 0, position = 0, lane = 0 } = address
  checkWord('sequence', sequence, 2 ** 32)
  checkWord('position', position, 2 ** 32)
  checkWord('lane', lane, 2 ** 16)
  const { low, high } = seedWords(address.seed)
  const block = new Uint32Array(4)

  const word = (index: number, laneWord: number): number => {
    philox(index >>> 2, position, sequence, laneWord, low, high, block)
    return block[index & 3] ?? 0
  }
  const bits = (index: number): number => word(checkIndex(index), lane)
  const uniform = (index: number): number => {
    const upper = bits(index)
    return ((upper >>> 0) * 2 ** 21 + (word(index, lane + SECOND_WORDS) >>> 11)) * TWO_TO_MINUS_53
  }
  const gumbelOf = (first: number, index: number): number => {
    // The exponential variate is small, and the noise great, where v is small: those get 32 bits more.
    const rest = first < 2 ** 22 ? (word(index, lane + SECOND_WORDS) + 0.5) * TWO_TO_MINUS_32 : 0.5
    return -logOf(minusLogOneMinus((first + rest) * TWO_TO_MINUS_32))
  }
  // The middle of one of 2^52 equal intervals: neither 0 nor 1, and symmetric.
  const normal = (index: number): number => normalQuantile((Math.floor(uniform(index) * 2 ** 52) + 0.5) * 2 ** -52)

  return {
    bits,
    uniform32: (index) => bits(index) * TWO_TO_MINUS_32,
    uniform,
    gumbel: (index) => gumbelOf(bits(index), index),
    normal,
    below(n, index) {
      if (!Number.isSafeInteger(n) || n < 1 || n > 2 ** 32) {
        throw new ArgumentError({ field: 'n', found: String(n), expected: 'a whole number from 1 to 2^32' })
      }
      // The greatest multiple of n within 2^32; bits from there on would favour the low numbers and are drawn again.
      const limit = 2 ** 32 - (2 ** 32 % n)
      let drawn = bits(index)
      for (let attempt = REJECTED; drawn >= limit; attempt += SECOND_WORDS) drawn = word(index, lane + attempt)
      return drawn % n
    },
    fillGumbel(target) {
      const four = new Uint32Array(4)
      for (let i = 0; i < target.length; i += 4) {
        philox(i >>> 2, position, sequence, lane, low, high, four)
        const end = Math.min(4, target.length - i)
        for (let j = 0; j < end; j++) target[i + j] = gumbelOf(four[j] ?? 0, i + j)
      }
      return target
    },
    fillUniform(target) {
      for (let i = 0; i < target.length; i++) target[i] = uniform(i)
      return target
    },
    fillNormal(target) {
      for (let i = 0; i < target.length; i++) target[i] = normal(i)
      return target
    },
  }
}

/** One number of a stream, in [0, 1) with 53 bits: `randomStream({ seed, sequence, position, lane }).uniform(index)`. */
export function randomAt(seed: number | bigint, sequence: number, position: number, index: number, lane = 0): number {
  return randomStream({ seed, sequence, position, lane }).uniform(index)
}

/** Gumbel noise for a row of logits: `randomStream({ seed, sequence, position }).fillGumbel(target)`. */
export function fillGumbel(seed: number | bigint, sequence: number, position: number, target: Float32Array): Float32Array {
  return randomStream({ seed, sequence, position }).fillGumbel(target)
}

function seedWords(seed: number | bigint): { readonly low: number; readonly high: number } {
  if (typeof seed === 'bigint' ? seed < 0n || seed >= 1n << 64n : !Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError({ field: 'seed', found: String(seed), expected: 'a whole number >= 0 of 53 bits, or a bigint of 64' })
  }
  const wide = BigInt(seed)
  return { low: Number(wide & 0xffffffffn), high: Number(wide >> 32n) }
}

function checkWord(field: string, value: number, end: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value >= end) {
    throw new ArgumentError({ field, found: String(value), expected: `a whole number from 0 to ${end - 1}` })
  }
}

function checkIndex(index: number): number {
  checkWord('index', index, 2 ** 32)
  return index
}
