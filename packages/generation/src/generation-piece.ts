/** What a generation yields. Plain data. */
import type { SpeculationStatistics } from './speculation-statistics.ts'

/**
 * Why an output ended: one of the stop tokens was chosen (it is in `ids`, not in the text), a stop string was completed (the text
 * ends before it), or there was no more room (`maxNewTokens`, or the context).
 */
export type FinishReason = 'stop-token' | 'stop-string' | 'length'

/** What one step added to the output. */
export interface GenerationPiece {
  /** Text that has become certain; often the text of `ids`, sometimes empty, sometimes text held back before. */
  readonly text: string
  /** The new token ids: one per piece, none in the only piece of an empty output. */
  readonly ids: readonly number[]
  /**
   * Natural logarithm of the probability that the model gave to each of `ids`: log-softmax of its logits before processors,
   * temperature and truncation.
   */
  readonly logProbabilities: readonly number[]
  /** For each of `ids` the best tokens of the same distribution, best first; when `topLogProbabilities` was asked for. */
  readonly topLogProbabilities?: readonly (readonly TokenLogProbability[])[]
  /** On the last piece only. */
  readonly finishReason?: FinishReason
  /** On the last piece only. */
  readonly statistics?: GenerationStatistics
}

export interface TokenLogProbability {
  readonly id: number
  readonly logProbability: number
}

export interface GenerationStatistics {
  readonly promptTokens: number
  /** Tokens of the prompt whose rows were already in the cache. */
  readonly reusedTokens: number
  readonly newTokens: number
  /** Steps that computed the prompt, up to the first new token. */
  readonly prefillMs: number
  /** Steps after that; the time that the receiver of the pieces takes is not in it. */
  readonly decodeMs: number
  /** New tokens after the first per second of `decodeMs`. */
  readonly tokensPerSecond: number
  /** When tokens were drafted. `decodeMs` counts the drafts as well. */
  readonly speculation?: SpeculationStatistics
}

/** A whole output. */
export interface GeneratedText {
  readonly text: string
  readonly ids: readonly number[]
  readonly logProbabilities: readonly number[]
  readonly topLogProbabilities?: readonly (readonly TokenLogProbability[])[]
  readonly finishReason: FinishReason
  readonly statistics: GenerationStatistics
}

/** Completes the statistics with the rate. */
export function statisticsOf(counts: Omit<GenerationStatistics, 'tokensPerSecond'>): GenerationStatistics {
  const { newTokens, decodeMs } = counts
  return { ...counts, tokensPerSecond: decodeMs > 0 ? (Math.max(0, newTokens - 1) * 1000) / decodeMs : 0 }
}
