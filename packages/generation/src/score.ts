/**
 * The log-probability of given text: one forward pass in chunks with the logits of all rows. A chunk's logits are read before the
 * next chunk runs, so memory is bounded by `rows * vocab * 4` bytes however long the text is.
 */
import type { CausalLM } from '@foretoken/models'
import { topK as bestOf } from '@foretoken/tensor'
import { checkRow } from './decoding-sequence.ts'
import { LogitsError } from './errors.ts'
import { createRowScan, logSumExp } from './logits-row.ts'
import { checkCount, checkNames } from './option-checks.ts'
import { nextChunk, type PrefillProgress } from './prefill.ts'
import { encodePrompt, PROMPT_FIELDS, type PromptInput } from './prompt.ts'

export interface ScoreOptions {
  /** Ids and logits of so many best next tokens after each position. Default 0. */
  readonly topK?: number
  /** Rows per step. Default 64: 13 MB of logits at 49,152 tokens. */
  readonly rows?: number
  readonly onProgress?: (progress: PrefillProgress) => void
  readonly signal?: AbortSignal
  readonly clock?: () => number
}

export interface Score {
  /** [n] the ids that were scored. */
  readonly tokens: Int32Array
  /** [n - 1] natural log-probability of `tokens[i + 1]` after `tokens[0..i]`. */
  readonly logProbabilities: Float64Array
  /** Present when `topK` > 0. */
  readonly top?: ScoreTop
  /** Mean of the negated log-probabilities, in nats per token; NaN for a single token, which predicts nothing. */
  readonly negativeLogLikelihood: number
  /** e^negativeLogLikelihood. */
  readonly perplexity: number
}

/** The best next tokens after each position, the last one included. */
export interface ScoreTop {
  readonly k: number
  /** [n, k] ids, best first. */
  readonly tokens: Int32Array
  /** [n, k] raw logits. */
  readonly logits: Float32Array
}

const OPTION_NAMES: ReadonlySet<string> = new Set(['topK', 'rows', 'onProgress', 'signal', 'clock', ...PROMPT_FIELDS])

/**
 * Scores text, a conversation, or token ids.
 *
 * @throws {ArgumentError} for an option outside of its range, no tokens, or an id outside of the vocabulary
 * @throws {TokenizerMissingError} when text is given to a model without a tokenizer
 * @throws {ContextLengthError} when there are more tokens than positions
 * @throws {LogitsError} when the model's logits are of no use, naming the position
 */
export async function score(lm: CausalLM, options: ScoreOptions & PromptInput): Promise<Score> {
  const { topK = 0, rows = 64, onProgress, signal, clock = () => performance.now() } = options
  const { vocab } = lm.config
  checkNames(options, OPTION_NAMES)
  checkCount('topK', topK, 0, vocab)
  checkCount('rows', rows, 1)
  const { tokens } = encodePrompt(lm, options)
  const logProbabilities = new Float64Array(tokens.length - 1)
  const top = { k: topK, tokens: new Int32Array(tokens.length * topK), logits: new Float32Array(tokens.length * topK) }
  const scan = createRowScan(vocab)
  const start = clock()
  await using cache = lm.createCache()
  while (cache.length < tokens.length) {
    signal?.throwIfAborted()
    const from = cache.length
    const to = from + nextChunk(lm, cache, tokens.length - from, rows)
    const step = { tokens: tokens.slice(from, to), cache, want: { logits: 'all' } as const, sequenceLength: tokens.length }
    const result = await lm.forward(signal === undefined ? step : { ...step, signal })
    signal?.throwIfAborted()
    const data = result.logits?.data
    if (data?.length !== (to - from) * vocab) {
      throw new LogitsError({
        field: `logits from position ${from + 1}`,
        found: `${data?.length ?? 0}`,
        expected: `[${to - from}, ${vocab}]`,
      })
    }
    for (let i = from; i < to; i++) {
      const row = data.subarray((i - from) * vocab, (i - from + 1) * vocab)
      checkRow(row, scan, i + 1)
      const next = tokens[i + 1]
      if (next !== undefined) logProbabilities[i] = (row[next] ?? 0) - logSumExp(row, scan.max)
      if (topK > 0) {
        const { indices, values } = bestOf(row, topK)
        top.tokens.set(indices, i * topK)
        top.logits.set(values, i * topK)
      }
    }
    cache.append(result.rows)
    onProgress?.({ done: to, total: tokens.length, elapsedMs: clock() - start })
  }
  const negativeLogLikelihood = -logProbabilities.reduce((sum, each) => sum + each, 0) / logProbabilities.length
  return { tokens, logProbabilities, ...(topK > 0 ? { top } : {}), negativeLogLikelihood, perplexity: Math.exp(negativeLogLikelihood) }
}
