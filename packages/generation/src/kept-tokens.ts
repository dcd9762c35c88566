/**
 * Which tokens of a row may be drawn. Tokens are compared by their distance below the best one, (max - logit) / temperature, so
 * that any temperature > 0 is safe: the best token is at distance 0 and nothing overflows. Tokens at 60 or more (less likely
 * than e^-60 of the best) are dropped first.
 *
 * Nothing sorts the vocabulary. Top-k reads only the blocks whose maximum can hold one of the k best; the other rules look for
 * their threshold by weight per interval (`ordered-cut.ts`). Cost at 49,152 logits: see the README.
 */
import { BLOCK, exponential, NEGLIGIBLE, type RowScan } from './logits-row.ts'
import { createOrderedCut, type OrderedCut } from './ordered-cut.ts'
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
  }
}

/** Applies temperature, top-k, top-p, min-p and typical, in this order, to a scanned row that has at least one finite logit. */
export function sieveTokens(sieve: TokenSieve, logits: Float32Array, scan: RowScan, sampling: SampleNumbers): KeptTokens {
  const { kept } = sieve
  const { topK, topP, minP, typicalP } = sampling
  collect(sieve, logits, scan, sampling)
  if (topK < kept.count) {
    const { key } = sieve.cut.find(kept.distances, undefined, kept.count, topK)
    compact(kept, kept.distances, key, kept.count)
  }
  if (topP < 1) {
    const { key, index } = sieve.cut.find(kept.distances, weigh(kept), kept.count, topP * total(kept))
    compact(kept, kept.distances, key, index)
  }
  if (minP > 0) compact(kept, kept.distances, -Math.log(minP), kept.count)
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

function collect(sieve: TokenSieve, logits: Float32Array, scan: RowScan, { temperature, topK }: SampleNumbers): void {
  const { kept, blocks } = sieve
  const { tokens, distances } = kept
  const { blockMaxima, max } = scan
  // k blocks reach the k-th largest block maximum, so at least k tokens do: nothing below it is among the k best.
  let floor = Number.NEGATIVE_INFINITY
  if (topK < blockMaxima.length) {
    for (let b = 0; b < blockMaxima.length; b++) {
      const below = max - (blockMaxima[b] ?? 0)
      blocks[b] = Math.min(below, Number.MAX_VALUE)
    }
    const { key } = sieve.cut.find(blocks, undefined, blockMaxima.length, topK)
    if (key < Number.MAX_VALUE) floor = max - key * (1 + 1e-9) // the margin covers the rounding of two subtractions
  }
  let count = 0
  for (let block = 0, start = 0; start < logits.length; block++, start += BLOCK) {
    if ((blockMaxima[block] ?? 0) < floor) continue
    const end = Math.min(start + BLOCK, logits.length)
    for (let i = start; i < end; i++) {
      const logit = logits[i] ?? 0
      if (logit < floor) continue
      const distance = (max - logit) / temperature
      if (distance < NEGLIGIBLE) {
        tokens[count] = i
        distances[count] = distance
        count++
      }
    }
  }
  kept.count = count
  kept.hasWeights = false
}

function keepTypical(sieve: TokenSieve, typicalP: number): void {
  const { kept, keys } = sieve
  const { distances, count } = kept
  const weights = weigh(kept)
  const sum = total(kept)
  const logSum = Math.log(sum)
  let entropy = 0
  for (let i = 0; i < count; i++) entropy += ((weights[i] ?? 0) / sum) * ((distances[i] ?? 0) + logSum)
  for (let i = 0; i < count; i++) keys[i] = Math.abs((distances[i] ?? 0) + logSum - entropy)
  const { key } = sieve.cut.find(keys, weights, count, typicalP * sum)
  compact(kept, keys, key, count)
}

/** Keeps the tokens whose key is smaller, or equal and not after `lastIndex`. */
function compact(kept: KeptTokens, keys: Float64Array, key: number, lastIndex: number): void {
  const { tokens, distances, weights, count } = kept
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
