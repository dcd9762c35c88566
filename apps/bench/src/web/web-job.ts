/** What a page is asked to do and what it answers. Both cross into the browser, so they are plain data. */
import type { WeightFormat } from '@foretoken/models'

/** Addresses are those of the bench's own server. */
export type WebSource =
  | { readonly kind: 'foretoken'; readonly file: string; readonly format: WeightFormat }
  /** `model`: a folder below `/models/` as the hub has them. */
  | { readonly kind: 'transformers.js'; readonly model: string; readonly dtype: 'q8' }
  | { readonly kind: 'wllama'; readonly file: string; readonly cacheType: 'f32' | 'f16' }

export interface WebSettings {
  readonly threads: number
  /** Positions that the side has to have room for. */
  readonly positions: number
}

/** The same prompt as text and as the ids that the text has. */
export interface WebPrompt {
  readonly text: string
  readonly tokens: readonly number[]
}

export type WebTask =
  /** Continues each prompt greedily by `newTokens` tokens, in this order. */
  | { readonly kind: 'speed'; readonly prompts: readonly WebPrompt[]; readonly newTokens: number }
  | { readonly kind: 'perplexity'; readonly tokens: readonly number[] }

export interface WebContinuation {
  readonly promptTokens: number
  /** From the call to the first token. */
  readonly prefillMs: number
  /** From each piece of text to the next; one for each token but the first, or fewer where text waits for the rest of a character. */
  readonly stepMs: readonly number[]
}

export type WebResult =
  | { readonly kind: 'speed'; readonly continuations: readonly WebContinuation[] }
  /** Mean over all tokens but the first, in nats. */
  | { readonly kind: 'perplexity'; readonly negativeLogLikelihood: number }

/** What the page offers to the bench. */
export interface WebBench {
  /** @returns milliseconds from the start of the page to the open model */
  open(source: WebSource, settings: WebSettings): Promise<number>
  perform(task: WebTask): Promise<WebResult>
}

declare global {
  /** There once the page has started. */
  var webBench: WebBench | undefined
}
