/**
 * The tokens that a row would give one after the other, were each forbidden in turn: what a drafter with logits proposes, best first. The scores are
 * those of the sampler: log-probabilities plus the noise of the position, or bare logits when the choice is greedy. A model that is nearly the one
 * behind the logits then ranks its own choice first as well, because it meets the same noise. Without noise shared in this way the order is that of
 * draws without replacement (Kool et al. 2019, "Stochastic Beams").
 *
 * A share says how sure that is: the softmax of the scores. It would be the probability of a token to be chosen if another model's scores differed
 * by noise of one nat. Tokens that are not ranked count with their probability, as if their noise were 0.
 */
import { topK } from '@foretoken/tensor'
import { createTokenSieve, type KeptTokens, sieveTokens, total, weigh } from './kept-tokens.ts'
import { createRowScan, exponentialBound, logSumExp } from './logits-row.ts'
import { scanProcessed } from './sampler.ts'
import { type CheckedSampling, checkSampling, type Sampling } from './sampling.ts'
import { gumbelNoise, highBits, type NoiseKey, noiseKey } from './token-noise.ts'

/** Tokens by rank; the arrays are reused by the next ranking, and valid up to `count`. */
export interface RankedTokens {
  count: number
  /** [count] ids, the sampler's choice first. */
  readonly tokens: Int32Array
  /** [count] share of each, > 0; with those of the tokens that are not ranked they sum to 1. */
  readonly shares: Float64Array
}

export interface TokenRanking {
  /**
   * @param logits    [vocab] processed logits
   * @param sequence  which of the seed's sequences of noise
   * @param position  absolute position of the token to be chosen
   * @returns         at most `most` tokens, fewer when fewer can be chosen
   * @throws {ProcessorError} when no token is left, or a value is NaN or +Infinity
   */
  rank(logits: Float32Array, sequence: number, position: number): RankedTokens
}

/**
 * @param vocab  number of logits per row
 * @param most   tokens that are ranked; one pass over the row, and little for each of them
 * @throws {ArgumentError} for a number of `sampling` outside of its range
 */
export function createTokenRanking(sampling: Sampling, vocab: number, most: number): TokenRanking {
  const checked = checkSampling(sampling)
  const scan = createRowScan(vocab)
  const ranked = { count: 0, tokens: new Int32Array(most), shares: new Float64Array(most) }
  if (checked.kind === 'greedy') {
    return {
      rank(logits) {
        scanProcessed(logits, scan)
        const best = topK(logits, Math.min(most, vocab))
        const logTotal = logSumExp(logits, scan.max)
        ranked.count = 0
        for (const [i, token] of best.indices.entries()) {
          const share = Math.exp((best.values[i] ?? 0) - logTotal)
          if (share > 0) push(ranked, token, share)
        }
        return ranked
      },
    }
  }
  return { rank: sampledRanking(checked, vocab, scan, ranked) }
}

function sampledRanking(
  sampling: Extract<CheckedSampling, { kind: 'sample' }>,
  vocab: number,
  scan: ReturnType<typeof createRowScan>,
  ranked: RankedTokens,
): TokenRanking['rank'] {
  const sieve = createTokenSieve(vocab)
  return (logits, sequence, position) => {
    scanProcessed(logits, scan, position)
    const kept = sieveTokens(sieve, logits, scan, sampling)
    race(kept, noiseKey(sampling.seed, sequence, position), ranked)
    return ranked
  }
}

/** The best scores in order, as `shares`, and what they become beside the rest. A token is refused as the sampler refuses it, by the last that is ranked. */
function race(kept: KeptTokens, key: NoiseKey, ranked: RankedTokens): void {
  const { tokens: ids, distances, count } = kept
  const { tokens, shares: scores } = ranked
  const most = tokens.length
  let limit = Number.POSITIVE_INFINITY
  let size = 0
  for (let i = 0; i < count; i++) {
    const token = ids[i] ?? 0
    const distance = distances[i] ?? 0
    if (highBits(key, token) >= limit * exponentialBound(distance)) continue
    const score = gumbelNoise(key, token) - distance
    if (size === most && score <= (scores[most - 1] ?? 0)) continue
    let at = size < most ? size++ : most - 1
    for (; at > 0 && score > (scores[at - 1] ?? 0); at--) {
      scores[at] = scores[at - 1] ?? 0
      tokens[at] = tokens[at - 1] ?? 0
    }
    scores[at] = score
    tokens[at] = token
    if (size === most) limit = Math.exp(-(scores[most - 1] ?? 0)) * 2 ** 32 * (1 + 1e-9)
  }
  ranked.count = size
  toShares(kept, ranked)
}

function toShares(kept: KeptTokens, { tokens, shares, count }: RankedTokens): void {
  weigh(kept)
  const best = shares[0] ?? 0
  let rest = total(kept)
  let sum = 0
  for (let rank = 0; rank < count; rank++) {
    rest -= kept.weights[indexOf(kept, tokens[rank] ?? 0)] ?? 0
    const share = Math.exp((shares[rank] ?? 0) - best)
    shares[rank] = share
    sum += share
  }
  sum += Math.max(0, rest) * Math.exp(-best)
  for (let rank = 0; rank < count; rank++) shares[rank] = (shares[rank] ?? 0) / sum
}

/** Of a kept token: they ascend. */
function indexOf({ tokens, count }: KeptTokens, token: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if ((tokens[middle] ?? 0) < token) low = middle + 1
    else high = middle
  }
  return low
}

function push(ranked: RankedTokens, token: number, share: number): void {
  ranked.tokens[ranked.count] = token
  ranked.shares[ranked.count] = share
  ranked.count++
}
