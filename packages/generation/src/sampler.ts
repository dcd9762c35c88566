/**
 * Chooses tokens from processed logits. A pure function of (row, sampling, noise key): the sampler holds scratch space and
 * nothing that one choice passes on to the next, so nodes of a tree may be visited in any order and only where needed.
 */
import { ProcessorError } from './errors.ts'
import { createTokenSieve, type KeptTokens, sieveTokens, total, weigh } from './kept-tokens.ts'
import { createRowScan, exponentialBound, type RowScan, scanRow } from './logits-row.ts'
import { type CheckedSampling, checkSampling, type Sampling } from './sampling.ts'
import { gumbelNoise, highBits, type NoiseKey, noiseKey } from './token-noise.ts'

/** A distribution over the tokens that may be drawn. */
export interface TokenDistribution {
  /** Ids in ascending order. */
  readonly tokens: Int32Array
  /** [tokens] probabilities, each > 0, with the sum 1. */
  readonly probabilities: Float64Array
}

export interface Sampler {
  readonly sampling: CheckedSampling
  /**
   * The next token: the best one, or the argmax over the kept tokens of log p + Gumbel noise (see `gumbelNoise`).
   *
   * @param logits    [vocab] processed logits
   * @param sequence  which sequence of the seed's sequences, 0 for the only one
   * @param position  absolute position of the token to be chosen
   * @throws {ProcessorError} when no token is left, or a value is NaN or +Infinity
   */
  choose(logits: Float32Array, sequence: number, position: number): number
  /** The distribution that `choose` draws from; a new object. Greedy: all on the best token. */
  distribution(logits: Float32Array): TokenDistribution
}

/**
 * @param vocab  number of logits per row
 * @throws {ArgumentError} for a number of `sampling` outside of its range
 */
export function createSampler(sampling: Sampling, vocab: number): Sampler {
  const chooser = createChooser(checkSampling(sampling), vocab)
  const scan = createRowScan(vocab)
  return {
    sampling: chooser.sampling,
    choose(logits, sequence, position) {
      scanProcessed(logits, scan, position)
      return chooser.choose(logits, scan, sequence, position)
    },
    distribution(logits) {
      scanProcessed(logits, scan)
      return chooser.distribution(logits, scan)
    },
  }
}

/** A sampler of rows that have been scanned and found usable. */
export interface Chooser {
  readonly sampling: CheckedSampling
  choose(logits: Float32Array, scan: RowScan, sequence: number, position: number): number
  distribution(logits: Float32Array, scan: RowScan): TokenDistribution
}

export function createChooser(sampling: CheckedSampling, vocab: number): Chooser {
  if (sampling.kind === 'greedy') {
    return {
      sampling,
      choose: (_logits, scan) => scan.best,
      distribution: (_logits, scan) => ({ tokens: Int32Array.of(scan.best), probabilities: Float64Array.of(1) }),
    }
  }
  const sieve = createTokenSieve(vocab)
  return {
    sampling,
    choose(logits, scan, sequence, position) {
      return race(sieveTokens(sieve, logits, scan, sampling), noiseKey(sampling.seed, sequence, position))
    },
    distribution(logits, scan) {
      const kept = sieveTokens(sieve, logits, scan, sampling)
      const weights = weigh(kept).slice(0, kept.count)
      const sum = total(kept)
      return { tokens: kept.tokens.slice(0, kept.count), probabilities: weights.map((weight) => weight / sum) }
    },
  }
}

/**
 * The kept token with the largest noise - distance, the lowest id among equals. A token beats the best score S so far only if its
 * exponential variate -log u is below e^(-distance - S), and -log u >= highBits / 2^32: nearly all are refused by that test.
 */
function race({ tokens, distances, count }: KeptTokens, key: NoiseKey): number {
  let winner = -1
  let best = Number.NEGATIVE_INFINITY
  let limit = Number.POSITIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const token = tokens[i] ?? 0
    const distance = distances[i] ?? 0
    if (highBits(key, token) >= limit * exponentialBound(distance)) continue
    const score = gumbelNoise(key, token) - distance
    if (score > best) {
      best = score
      winner = token
      limit = Math.exp(-score) * 2 ** 32 * (1 + 1e-9) // the margin covers the rounding of the logarithms
    }
  }
  return winner
}

/** @throws {ProcessorError} when nothing can be chosen from the row */
export function scanProcessed(logits: Float32Array, scan: RowScan, position?: number): void {
  scanRow(logits, scan)
  const field = position === undefined ? 'processed logits' : `processed logits for position ${position}`
  if (scan.broken >= 0) {
    throw new ProcessorError({ field, found: `${logits[scan.broken]} at token ${scan.broken}`, expected: 'numbers or -Infinity' })
  }
  if (scan.best < 0) throw new ProcessorError({ field, found: 'every token forbidden', expected: 'at least one that is allowed' })
}
