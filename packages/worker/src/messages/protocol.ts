/**
 * What the two sides say to each other. The page (or the main thread) asks, the host in the worker answers; every request has a number, answers
 * carry it. After the greeting both sides are known to be of one version, and the contents of messages are taken as typed here.
 *
 *     page                               host
 *     hello {protocol, life}        →
 *                                   ←    hello {protocol}
 *     call {id, call, transfer}     →
 *                                   ←    progress {id, progress}*, then result {id, value} or failure {id, error}
 *     stream {id, ahead}            →    computes up to `ahead` pieces more than were asked for
 *     ask {id, pieces}*             →
 *                                   ←    piece {id, piece}*, then end {id} or failure {id, error}
 *     abort {id} | leave {id, ids}  →    ends the call or the stream, which answers as above
 *                                   ←    crash {error}: something went wrong that belongs to no request
 *
 * Arrays that one side gives away are transferred: bytes of models and snapshots to the host; scores, tokens and snapshots to the page.
 */
import type {
  BatchPiece,
  GenerationOptions,
  GenerationPiece,
  PrefillProgress,
  PromptInput,
  Score,
  ScoreOptions,
  SingleGenerationOptions,
} from '@foretoken/generation'
import type { Capabilities, GenerationDefaults, MemoryUse, ModelConfig, Plan } from '@foretoken/models'
import type { ChatMessage, ChatTemplateOptions, DecodeOptions, EncodeOptions, SpecialTokens } from '@foretoken/tokenizers'
import type { ConstraintChoice } from '../constraint-choice.ts'
import type { HostedProgress, HostOptions } from '../host-options.ts'
import type { TokenView } from '../hosted-tokenizer.ts'
import type { SpeculationChoice } from '../speculation-choice.ts'
import type { SentError } from './sent-error.ts'

/** Raise it when a message changes. */
export const PROTOCOL = 1

export type SentSource =
  | { readonly kind: 'reference'; readonly reference: string }
  | { readonly kind: 'address'; readonly url: string }
  | { readonly kind: 'files'; readonly files: readonly NamedFile[] }

export interface NamedFile {
  readonly name: string
  readonly data: Blob | Uint8Array<ArrayBuffer>
}

/** Without what stays on the page's side. */
export type SentHostOptions = Omit<HostOptions, 'onProgress' | 'signal' | 'worker' | 'piecesAhead'>

export interface ModelFacts {
  readonly config: ModelConfig
  readonly capabilities: Capabilities
  readonly plan: Plan
  readonly generationDefaults: GenerationDefaults
  readonly tokenizer?: { readonly vocabularySize: number; readonly specialTokens: SpecialTokens; readonly hasChatTemplate: boolean }
}

export type SentGenerationOptions = Omit<
  SingleGenerationOptions,
  'cache' | 'speculate' | 'constraint' | 'processors' | 'clock' | 'signal' | 'onPrefill'
> &
  PromptInput & { readonly speculate?: SpeculationChoice; readonly constraint?: ConstraintChoice }

export type SentBatchOptions = Omit<GenerationOptions, 'constraint' | 'processors' | 'clock' | 'signal' | 'onPrefill'> & {
  readonly constraint?: ConstraintChoice
}

export type SentScoreOptions = Omit<ScoreOptions, 'clock' | 'signal' | 'onProgress'> & PromptInput

/** What can be called, with its arguments and its answer. */
export interface Calls {
  load: { ask: { readonly source: SentSource; readonly options: SentHostOptions }; answer: ModelFacts }
  close: { ask: object; answer: undefined }
  memory: { ask: object; answer: MemoryUse }
  score: { ask: { readonly options: SentScoreOptions }; answer: Score }
  open: { ask: object; answer: number }
  restore: { ask: { readonly snapshot: Uint8Array<ArrayBuffer> }; answer: number }
  tokens: { ask: OfConversation; answer: Int32Array }
  bytes: { ask: OfConversation; answer: number }
  fork: { ask: OfConversation; answer: number }
  truncate: { ask: OfConversation & { readonly length: number }; answer: undefined }
  snapshot: { ask: OfConversation; answer: Uint8Array<ArrayBuffer> }
  forget: { ask: OfConversation; answer: undefined }
  encode: { ask: { readonly text: string; readonly options?: EncodeOptions | undefined }; answer: Int32Array }
  decode: { ask: { readonly ids: ArrayLike<number>; readonly options?: DecodeOptions | undefined }; answer: string }
  view: { ask: { readonly text: string; readonly options?: EncodeOptions | undefined }; answer: readonly TokenView[] }
  viewIds: { ask: { readonly ids: ArrayLike<number> }; answer: readonly TokenView[] }
  render: { ask: OfChat; answer: string }
  encodeMessages: { ask: OfChat; answer: Int32Array }
}

interface OfConversation {
  readonly conversation: number
}

interface OfChat {
  readonly messages: readonly ChatMessage[]
  readonly options?: ChatTemplateOptions | undefined
}

export type CallName = keyof Calls

/** One call with its arguments. */
export type Call = { [Name in CallName]: { readonly name: Name } & Calls[Name]['ask'] }[CallName]

export type StreamRequest =
  | { readonly name: 'generate'; readonly options: SentGenerationOptions; readonly conversation?: number }
  | { readonly name: 'generateBatch'; readonly prompts: readonly PromptInput[]; readonly options: SentBatchOptions }

export type Piece = GenerationPiece | BatchPiece

export type Progress = HostedProgress | PrefillProgress

export type ToHost =
  | { readonly kind: 'hello'; readonly protocol: number; readonly life: string }
  | { readonly kind: 'call'; readonly id: number; readonly call: Call }
  | { readonly kind: 'stream'; readonly id: number; readonly stream: StreamRequest; readonly ahead: number }
  /** So many pieces have been asked for so far. */
  | { readonly kind: 'ask'; readonly id: number; readonly pieces: number }
  /** The reader left after so many ids. */
  | { readonly kind: 'leave'; readonly id: number; readonly ids: number }
  | { readonly kind: 'abort'; readonly id: number }

export type ToPage =
  | { readonly kind: 'hello'; readonly protocol: number }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: SentError }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly kind: 'piece'; readonly id: number; readonly piece: Piece }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'crash'; readonly error: SentError }

const TO_HOST: ReadonlySet<unknown> = new Set<ToHost['kind']>(['hello', 'call', 'stream', 'ask', 'leave', 'abort'])
const TO_PAGE: ReadonlySet<unknown> = new Set<ToPage['kind']>(['hello', 'result', 'failure', 'progress', 'piece', 'end', 'crash'])

export function isToHost(message: unknown): message is ToHost {
  return hasKind(message) && TO_HOST.has(message.kind)
}

export function isToPage(message: unknown): message is ToPage {
  return hasKind(message) && TO_PAGE.has(message.kind)
}

function hasKind(message: unknown): message is { readonly kind: unknown } {
  return typeof message === 'object' && message !== null && 'kind' in message
}
