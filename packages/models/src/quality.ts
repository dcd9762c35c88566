/**
 * What a format costs in quality: the same text through the model and through a reference, usually itself in float32, side by side. Both
 * run in chunks and only the logits of one chunk are held, so memory does not grow with the text. The divergence looks at the whole
 * distribution after each token, which separates formats better than the probability of the one token that came next.
 */
import { ArgumentError } from '@foretoken/tensor'
import type { CausalLM } from './causal-lm.ts'

export interface Quality {
  /** Tokens that were predicted: all but the first. */
  readonly predictions: number
  /** Mean of the negated log-probabilities of the text's own tokens, in nats. */
  readonly negativeLogLikelihood: number
  /** e^negativeLogLikelihood. */
  readonly perplexity: number
  readonly referencePerplexity: number
  /** Share of positions where both rank the same token first, 0 to 1. */
  readonly argmaxAgreement: number
  /** Mean of KL(reference || model) over the positions, in nats. */
  readonly meanDivergence: number
}

export interface QualityOptions {
  /** Rows of a step, default 64: 25 MB of logits of both models at 49,152 tokens. */
  readonly rows?: number
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  readonly signal?: AbortSignal
}

/**
 * @param tokens  [n] ids of a text
 * @throws {ArgumentError} for less than two tokens, more than the model has positions for, or another vocabulary
 */
export async function measureQuality(
  lm: CausalLM,
  reference: CausalLM,
  tokens: Int32Array,
  options: QualityOptions = {},
): Promise<Quality> {
  const { rows: mostRows = 64, onProgress, signal } = options
  const { vocab, maxPositions } = lm.config
  const wrong = (field: string, found: number, expected: string) => new ArgumentError({ field, found: `${found}`, expected })
  if (reference.config.vocab !== vocab) throw wrong('vocabulary of the reference', reference.config.vocab, `${vocab}`)
  if (tokens.length < 2 || tokens.length > maxPositions) throw wrong('tokens', tokens.length, `2 to ${maxPositions}`)
  const predictions = tokens.length - 1
  let [likelihood, referenceLikelihood, agreed, divergence] = [0, 0, 0, 0]
  await using cache = lm.createCache()
  await using referenceCache = reference.createCache()
  while (cache.length < predictions) {
    const from = cache.length
    const rows = Math.min(mostRows, predictions - from, lm.maxSteps(cache), reference.maxSteps(referenceCache))
    const step = { tokens: tokens.slice(from, from + rows), sequenceLength: tokens.length, want: { logits: 'all' as const } }
    const extra = signal === undefined ? {} : { signal }
    const given = await lm.forward({ ...step, ...extra, cache })
    const expected = await reference.forward({ ...step, ...extra, cache: referenceCache })
    for (let row = 0; row < rows; row++) {
      const next = tokens[from + row + 1] ?? 0
      const own = logitsOf(given.logits?.data, row, vocab)
      const wanted = logitsOf(expected.logits?.data, row, vocab)
      const compared = compare(own, wanted)
      likelihood += (own[next] ?? 0) - compared.logSum
      referenceLikelihood += (wanted[next] ?? 0) - compared.referenceLogSum
      divergence += compared.divergence
      if (compared.sameArgmax) agreed++
    }
    cache.append(given.rows)
    referenceCache.append(expected.rows)
    onProgress?.({ done: from + rows, total: predictions })
  }
  const negativeLogLikelihood = -likelihood / predictions
  return {
    predictions,
    negativeLogLikelihood,
    perplexity: Math.exp(negativeLogLikelihood),
    referencePerplexity: Math.exp(-referenceLikelihood / predictions),
    argmaxAgreement: agreed / predictions,
    meanDivergence: divergence / predictions,
  }
}

function logitsOf(data: Float32Array | undefined, row: number, vocab: number): Float32Array {
  return data?.subarray(row * vocab, (row + 1) * vocab) ?? new Float32Array(vocab)
}

/** Two passes over both rows in float64: the sums behind the softmax, then the divergence. */
function compare(own: Float32Array, wanted: Float32Array) {
  const best = argmax(own)
  const wantedBest = argmax(wanted)
  const [greatest, wantedGreatest] = [own[best] ?? 0, wanted[wantedBest] ?? 0]
  let [sum, wantedSum] = [0, 0]
  for (let token = 0; token < own.length; token++) {
    sum += Math.exp((own[token] ?? 0) - greatest)
    wantedSum += Math.exp((wanted[token] ?? 0) - wantedGreatest)
  }
  const logSum = greatest + Math.log(sum)
  const referenceLogSum = wantedGreatest + Math.log(wantedSum)
  let divergence = 0
  for (let token = 0; token < own.length; token++) {
    const logWanted = (wanted[token] ?? 0) - referenceLogSum
    divergence += Math.exp(logWanted) * (logWanted - ((own[token] ?? 0) - logSum))
  }
  return { logSum, referenceLogSum, divergence, sameArgmax: best === wantedBest }
}

function argmax(values: Float32Array): number {
  let best = 0
  for (let at = 1; at < values.length; at++) if ((values[at] ?? 0) > (values[best] ?? 0)) best = at
  return best
}
