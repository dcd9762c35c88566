/**
 * ALiBi (Press et al. 2021): no position embedding; instead each head subtracts its slope times the distance from a score. Slopes
 * fall geometrically from head to head, so that some heads look near and some far. A softmax does not feel what is the same for all
 * keys of a row, so the bias may as well be said as a function of the key's position alone, which is what checkpoints do that round it.
 */
import { roundToBfloat16 } from './bfloat16.ts'

export interface Alibi {
  /** What is added to the scores of a head for a key at this position; only differences between positions count. */
  keyBias(head: number, position: number): number
}

/**
 * [heads] slopes: powers of 2^(-largestBias / heads) for a power of two; other counts take the slopes of the next lower power first and
 * then every second one of the next higher.
 *
 * @param largestBias  negative exponent of the last slope, 8 in the paper
 */
export function alibiSlopes(heads: number, largestBias = 8): Float32Array {
  const above = 2 ** Math.ceil(Math.log2(heads))
  const slopes = Array.from({ length: above }, (_, index) => 2 ** (-((index + 1) * largestBias) / above))
  if (above === heads) return Float32Array.from(slopes)
  const odd = slopes.filter((_, index) => index % 2 === 1)
  const even = slopes.filter((_, index) => index % 2 === 0)
  return Float32Array.from([...odd, ...even].slice(0, heads))
}

export function alibi(heads: number, largestBias?: number): Alibi {
  const slopes = alibiSlopes(heads, largestBias)
  return { keyBias: (head, position) => (slopes[head] ?? 0) * position }
}

/**
 * As trained with a bias computed in bfloat16 from absolute positions and added before the scores are scaled (Falcon-RW): slope,
 * position and product are rounded to 8 significant bits, so that beyond position 256 neighbours share a bias.
 */
export function alibiOfBfloat16(heads: number, scale: number): Alibi {
  const slopes = alibiSlopes(heads).map(roundToBfloat16)
  return { keyBias: (head, position) => roundToBfloat16((slopes[head] ?? 0) * roundToBfloat16(position)) * scale }
}
