/**
 * The noise of sampling. A token is drawn by the Gumbel-max rule: argmax over the kept tokens of log p + g, where g is standard
 * Gumbel noise that depends on (seed, sequence, position, token) and on nothing else. So plain decoding, a batch, and a verified
 * draft choose the same token at the same position: speculation with this coupling equals plain sampling token for token.
 *
 * The random stream gives two words per position, and a mixing function spreads them over the tokens: the stream's own values
 * for a whole vocabulary would cost several times as much. Within one position the first 32 bits differ between all tokens.
 */
import { logOf, randomStream } from '@foretoken/tensor'

/** Two words that stand for one (seed, sequence, position). */
export interface NoiseKey {
  readonly first: number
  readonly second: number
}

/**
 * @param seed      a whole number from 0 to 2^53 - 1
 * @param sequence  which of several sequences drawn with one seed, a whole number below 2^32
 * @param position  absolute position of the token to be drawn: the number of tokens before it
 * @throws {ArgumentError} for a part outside its range
 */
export function noiseKey(seed: number, sequence: number, position: number): NoiseKey {
  const stream = randomStream({ seed, sequence, position })
  return { first: stream.bits(0), second: stream.bits(1) }
}

/** Standard Gumbel noise of one token: -log(-log u). Finite, with 52 random bits. */
export function gumbelNoise(key: NoiseKey, token: number): number {
  const high = highBits(key, token)
  return -logOf(exponentialVariate(uniform(high, lowBits(key, high))))
}

/**
 * The first 32 bits of the token's noise. The token's exponential variate -log u is at least `highBits / 2^32`, from which a
 * sampler learns without a logarithm that most tokens cannot win.
 */
export function highBits({ first, second }: NoiseKey, token: number): number {
  let x = (first + Math.imul(token, 0x9e3779b1)) | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = ((x ^ (x >>> 15)) + second) | 0
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}

function lowBits({ first, second }: NoiseKey, high: number): number {
  let x = (high ^ (second >>> 7) ^ Math.imul(first, 0xc2b2ae35)) | 0
  x = Math.imul(x ^ (x >>> 16), 0x735a2d97)
  x = Math.imul(x ^ (x >>> 15), 0x21f0aaad)
  return (x ^ (x >>> 15)) >>> 12
}

/** In the middle of one of 2^52 equal parts of (0, 1), so neither logarithm is infinite. */
function uniform(high: number, low: number): number {
  return (high * 1_048_576 + low + 0.5) / 4_503_599_627_370_496
}

/** -log(1 - v); by its series where v is so small that 1 - v would lose bits of it. */
function exponentialVariate(v: number): number {
  if (v >= 2 ** -10) return -logOf(1 - v)
  return v * (1 + v * (1 / 2 + v * (1 / 3 + v * (1 / 4 + v / 5))))
}
