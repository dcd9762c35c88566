/**
 * What a side is asked to do in its own process, and what it answers. Both travel between processes, so they are plain data.
 * Instants are milliseconds since 1970 with fractions, taken from the monotonic clock of each process, so that a start measured
 * by the parent and a first token measured by the child can be subtracted.
 */
import type { WeightFormat } from '@foretoken/models'

export type PeerSource =
  /** `convertedFolder`: where converted weights are kept for the next start; nothing is kept without it. */
  | { readonly kind: 'foretoken'; readonly file: string; readonly format: WeightFormat; readonly convertedFolder?: string }
  | { readonly kind: 'node-llama-cpp'; readonly file: string }
  /** A folder as the hub has them: config.json, tokenizer.json, onnx/model_q4.onnx and onnx/model_quantized.onnx. */
  | { readonly kind: 'transformers.js'; readonly folder: string; readonly dtype: 'q4' | 'q8' }

export interface Job {
  readonly source: PeerSource
  readonly threads: number
  /** Positions that the side has to have room for. */
  readonly positions: number
  readonly task: Task
}

export type Task =
  /** Continues each prompt greedily by `newTokens` tokens, in this order. */
  | { readonly kind: 'speed'; readonly prompts: readonly (readonly number[])[]; readonly newTokens: number }
  | { readonly kind: 'perplexity'; readonly tokens: readonly number[] }

export interface JobReport {
  /** When the model was open. */
  readonly readyAt: number
  /** Processor time of the process up to the end of its work, all threads. */
  readonly processorMs: number
  readonly result: SpeedResult | PerplexityResult
}

export interface SpeedResult {
  readonly kind: 'speed'
  readonly continuations: readonly Continuation[]
}

export interface Continuation {
  readonly promptTokens: number
  readonly firstTokenAt: number
  /** From the call to the first token. */
  readonly prefillMs: number
  /** [newTokens - 1] from each token to the next. */
  readonly stepMs: readonly number[]
  /** Greatest resident memory of the process so far. */
  readonly peakBytes: number
}

export interface PerplexityResult {
  readonly kind: 'perplexity'
  /** Mean over all tokens but the first, in nats. */
  readonly negativeLogLikelihood: number
}

/** What a child sends: one of these, once. */
export type ChildMessage = { readonly kind: 'done'; readonly report: JobReport } | { readonly kind: 'failed'; readonly reason: string }

export function instant(): number {
  return performance.timeOrigin + performance.now()
}
