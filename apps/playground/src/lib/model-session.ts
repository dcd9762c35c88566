/**
 * The model as the page sees it: one interface, so that the page does not depend on where the model lives. `worker-session.ts` is the one that
 * runs; tests have a counting one.
 */
import type { GenerationPiece, Sampling } from '@foretoken/generation'
import type { MemoryUse, Plan } from '@foretoken/models'

export interface ModelSession extends AsyncDisposable {
  readonly name: string
  readonly plan: Plan
  /** Longest context in tokens; Infinity where nothing ends it. */
  readonly contextTokens: number
  /** Whether the model has a chat template. */
  readonly canChat: boolean
  memory(): Promise<MemoryUse>
  /** An empty cache of its own. */
  openBranch(): Promise<Branch>
  /** [tokens] ids of a text, special tokens in it left as text. */
  encode(text: string): Promise<readonly number[]>
  /** Tokens as the vocabulary spells them, with their bytes, for each id. */
  spell(ids: readonly number[]): Promise<readonly Spelling[]>
  /** Rejects when the model is gone although nobody closed it, e.g. for want of memory. */
  readonly lost: Promise<never>
}

export interface Spelling {
  readonly label: string
  readonly bytes: readonly number[]
  readonly isSpecial: boolean
}

/** One cache and the generations on it. */
export interface Branch extends AsyncDisposable {
  generate(request: AnswerRequest): AsyncIterable<GenerationPiece>
  /** A second cache with the same rows. */
  fork(): Promise<Branch>
}

export interface AnswerRequest {
  readonly messages: readonly Message[]
  readonly sampling: Sampling
  /** Which of the seed's sequences of noise is drawn from: another version of an answer takes another one. */
  readonly sequence: number
  readonly maxNewTokens: number
  readonly topLogProbabilities: number
  readonly speculate: boolean
  readonly signal: AbortSignal
  readonly onPrefill: (progress: { readonly done: number; readonly total: number }) => void
}

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** How far loading is. */
export interface LoadProgress {
  readonly stage: 'download' | 'convert'
  readonly doneBytes: number
  readonly totalBytes: number
  /** Of a download. */
  readonly bytesPerSecond?: number
}
