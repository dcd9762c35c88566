/**
 * Which tokens of a row may be drawn. Tokens are compared by their distance below the best one, (max - logit) / temperature, so
 * that any temperature > 0 is safe: the best token is at distance 0 and nothing overflows. Tokens at 60 or more (less likely
 * than e^-60 of the best) are dropped first.
 *
 * Nothing sorts the vocabulary. Top-k and min-p read only the blocks of logits whose maximum is near enough; top-p sums weights per
 * interval of distance in one pass and then lists the few tokens that matter; the exact limit is found among those
 * (`ordered-cut.ts`).
 */
import { logOf } from '@foretoken/tensor'
import { BLOCK, exponential, NEGLIGIBLE, type RowScan, weighByDistance } from './logits-row.ts'
import { type Cut, createOrderedCut, type OrderedCut } from './ordered-cut.ts'
import type { CheckedSampling } from './sampling.ts'

type SampleNumbers = Extract<CheckedSampling, { kind: 'sample' }>

/** Tokens in ascending order with their distances; the arrays are scratch space of the owner, valid up to `count`. */
export interface KeptTokens {
  count: number
  readonly tokens: Int32Array
  /** Distance below the best token in units of the temperature, 0 <= distance < 60. */
  readonly distances: Float64Array
  /** e^-distance; filled when a rule needed it. */
  readonly weights: Float64Array
  hasWeights: boolean
}

/** Scratch space for rows of one vocabulary. */
export interface TokenSieve {
  readonly kept: KeptTokens
  readonly keys: Float64Array
  readonly cut: OrderedCut
  readonly blocks: Float64Array
  /** Weight per interval of distance. */
  readonly masses: Float64Array
}

export function createTokenSieve(vocab: number): TokenSieve {
  return {
    kept: {
      count: 0,
      tokens: new Int32Array(vocab),
      distances: new Float64Array(vocab),
      weights: new Float64Array(vocab),
      hasWeights: false,
    },
    keys: new Float64Array(vocab),
    cut: createOrderedCut(vocab),
    blocks: new Float64Array(Math.ceil(vocab / BLOCK)),
    masses: new Float64Array(512),
  }
}

/** Applies temperature, top-k, top-p, min-p and typical, in this order, to a scanned row that has at least one finite logit. */
export function sieveTokens(sieve: TokenSieve, logits: Float32Array, scan: RowScan, sampling: SampleNumbers): KeptTokens {
  const { kept } = sieve
  const { temperature, topK, topP, minP, typicalP } = sampling
  // A factor instead of a division per logit; finite, for 0 * Infinity would be NaN.
  const sharpness = Math.min(1 / temperature, Number.MAX_VALUE)
  const minDistance = minP > 0 ? -logOf(minP) : NEGLIGIBLE
  if (topK < logits.length) {
    collect(kept, logits, scan, sharpness, Math.min(NEGLIGIBLE, distanceOfBest(sieve, scan, sharpness, topK)))
    if (topK < kept.count) keepUpTo(kept, kept.distances, sieve.cut.find(kept.distances, undefined, kept.count, topK), true)
    if (topP < 1) keepUpTo(kept, kept.distances, sieve.cut.find(kept.distances, weigh(kept), kept.count, topP * total(kept)), false)
  } else if (topP < 1) {
    const { sum, limit } = distanceOfMass(sieve, logits, scan.max, sharpness, topP)
    collect(kept, logits, scan, sharpness, limit)
    keepUpTo(kept, kept.distances, sieve.cut.find(kept.distances, weigh(kept), kept.count, topP * sum), false)
  } else collect(kept, logits, scan, sharpness, minDistance)
  if (minP > 0) keepUpTo(kept, kept.distances, { key: minDistance, index: kept.count }, true)
  if (typicalP < 1) keepTypical(sieve, typicalP)
  return kept
}

/** e^-distance of every kept token. */
export function weigh(kept: KeptTokens): Float64Array {
  if (!kept.hasWeights) {
    const { distances, weights, count } = kept
    for (let i = 0; i < count; i++) weights[i] = exponential(distances[i] ?? 0)
    kept.hasWeights = true
  }
  return kept.weights
}

export function total({ weights, count }: KeptTokens): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += weights[i] ?? 0
  return sum
}

/** Keeps the tokens up to a distance; blocks of logits whose maximum is further away are not read. */
function collect(kept: KeptTokens, logits: Float32Array, { blockMaxima, max }: RowScan, sharpness: number, limit: number): void {
  const { tokens, distances } = kept
  let count = 0
  for (let block = 0, start = 0; start < logits.length; block++, start += BLOCK) {
    if ((max - (blockMaxima[block] ?? 0)) * sharpness > limit) continue
    const end = Math.min(start + BLOCK, logits.length)
    for (let i = start; i < end; i++) {
      const distance = (max - (logits[i] ?? 0)) * sharpness
      if (distance <= limit && distance < NEGLIGIBLE) {
        tokens[count] = i
        distances[count] = distance
        count++
      }
    }
  }
  kept.count = count
  kept.hasWeights = false
}

/** A distance that at least k tokens do not exceed: k blocks do not exceed it with their best tokens. Infinite when there is none. */
function distanceOfBest({ blocks, cut }: TokenSieve, { blockMaxima, max }: RowScan, sharpness: number, k: number): number {
  if (k >= blockMaxima.length) return Number.POSITIVE_INFINITY
  for (let b = 0; b < blockMaxima.length; b++) blocks[b] = Math.min((max - (blockMaxima[b] ?? 0)) * sharpness, Number.MAX_VALUE)
  return cut.find(blocks, undefined, blockMaxima.length, k).key
}

/** The sum of all weights, and a distance within which at least the given part of it lies: one pass, without a list. */
function distanceOfMass({ masses }: TokenSieve, logits: Float32Array, max: number, sharpness: number, part: number) {
  const sum = weighByDistance(logits, max, sharpness, masses)
  // The margins cover the rounding of sums in another order, and of the distance's product.
  let interval = 0
  for (let mass = 0; interval < masses.length && mass < part * sum * (1 + 1e-12); interval++) mass += masses[interval] ?? 0
  return { sum, limit: (interval / masses.length) * NEGLIGIBLE * (1 + 1e-12) }
}

function keepTypical(sieve: TokenSieve, typicalP: number): void {
  const { kept, keys } = sieve
  const { distances, count } = kept
  const weights = weigh(kept)
  const sum = total(kept)
  const logSum = logOf(sum)
  let entropy = 0
  for (let i = 0; i < count; i++) entropy += ((weights[i] ?? 0) / sum) * ((distances[i] ?? 0) + logSum)
  for (let i = 0; i < count; i++) keys[i] = Math.abs((distances[i] ?? 0) + logSum - entropy)
  keepUpTo(kept, keys, sieve.cut.find(keys, weights, count, typicalP * sum), true)
}

/** Keeps the tokens whose key is smaller than that of the cut, or equal: all of these, or those up to its index. */
function keepUpTo(kept: KeptTokens, keys: Float64Array, cut: Readonly<Cut>, withEquals: boolean): void {
  const { tokens, distances, weights, count } = kept
  const { key } = cut
  const lastIndex = withEquals ? count : cut.index
  let next = 0
  for (let i = 0; i < count; i++) {
    const own = keys[i] ?? 0
    if (own < key || (own === key && i <= lastIndex)) {
      tokens[next] = tokens[i] ?? 0
      distances[next] = distances[i] ?? 0
      weights[next] = weights[i] ?? 0
      next++
    }
  }
  kept.count = next
}
