/**
 * A model that lives in a worker, as the thread that asked for it sees it. Everything here takes and gives plain data; the model, its caches and
 * the decoding loop stay where the weights are. What needs functions beside the model (logits processors, drafters and cache policies of one's
 * own) is done in the model's own thread, with `@foretoken/models` and `@foretoken/generation`.
 */
import type {
  BatchPiece,
  GeneratedText,
  GenerationOptions,
  GenerationPiece,
  PromptInput,
  Score,
  ScoreOptions,
  SingleGenerationOptions,
} from '@foretoken/generation'
import type { Capabilities, GenerationDefaults, MemoryUse, ModelConfig, Plan } from '@foretoken/models'
import type { ConstraintChoice } from './constraint-choice.ts'
import type { WorkerCrashedError } from './errors.ts'
import type { HostedTokenizer } from './hosted-tokenizer.ts'
import type { SpeculationChoice } from './speculation-choice.ts'

export interface HostedModel extends AsyncDisposable {
  readonly config: ModelConfig
  readonly capabilities: Capabilities
  /** What was chosen at load and why. */
  readonly plan: Plan
  readonly generationDefaults: GenerationDefaults
  /** Absent when the checkpoint came without tokenizer files. */
  readonly tokenizer?: HostedTokenizer
  /** Settles when the worker is gone: with the error after a crash, with undefined after disposal. Never rejects. */
  readonly ended: Promise<WorkerCrashedError | undefined>

  /**
   * `generate` of `@foretoken/generation`: the same pieces, and for the same seed the same ids. The worker computes a few pieces ahead of the
   * reader (`piecesAhead`) and then waits. Leaving the loop early ends the generation; a conversation then holds the rows of what was read and
   * no more. After an error or an abort it is as before the call. Generations run side by side. Iterate once.
   *
   * @throws {UnsendableError} at once, for an option that is a function of its own
   * @throws {WorkerCrashedError} from the iterator, when the worker ends
   * @throws from the iterator, what the in-thread `generate` throws, wrong options included
   */
  generate(options: HostedGenerationOptions & PromptInput): AsyncIterable<GenerationPiece>
  /** The same, collected. */
  generateText(options: HostedGenerationOptions & PromptInput): Promise<GeneratedText>
  /** Several prompts at once: `generateBatch` of `@foretoken/generation`. Throws as `generate`. */
  generateBatch(prompts: readonly PromptInput[], options?: HostedBatchOptions): AsyncIterable<BatchPiece>
  /** The log-probability of given text: `score` of `@foretoken/generation`. */
  score(options: HostedScoreOptions & PromptInput): Promise<Score>
  /** Bytes by part, conversations included. */
  memory(): Promise<MemoryUse>

  /** An empty conversation: rows that outlive a generation. */
  openConversation(): Promise<HostedConversation>
  /**
   * A conversation with the rows that `snapshot` saved.
   *
   * @param snapshot  is copied
   * @throws {SnapshotError} for bytes that are no snapshot, or one of a model of another shape, with other weights or formats
   */
  restore(snapshot: Uint8Array): Promise<HostedConversation>

  /** Ends generations under way, gives back the model and its files, and ends the worker. Waiting calls reject with `DisposedError`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * The rows of one conversation, kept in the worker from one generation to the next: the part of a prompt that is in it already is not
 * computed again. One generation at a time writes to it: a second one, and `fork`, `truncate` and `snapshot` meanwhile, reject with `CacheBusyError`.
 */
export interface HostedConversation extends AsyncDisposable {
  /** [rows] the tokens whose rows are held. */
  tokens(): Promise<Int32Array>
  /** Bytes of the rows; what forks share is counted with the one that owns it. */
  bytes(): Promise<number>
  /** An independent conversation with the same rows; they are shared until one of the two writes. */
  fork(): Promise<HostedConversation>
  /**
   * Forgets all rows from `length` on, 0 forgets all.
   *
   * @throws {ArgumentError} when it holds fewer rows
   * @throws {CacheStateError} when layers are recurrent and their state at this length is not held
   */
  truncate(length: number): Promise<void>
  /** Tokens and rows as bytes that can be kept and given to `restore`, of this worker or of a later one with the same model. */
  snapshot(): Promise<Uint8Array<ArrayBuffer>>
  /** Gives back the rows. A generation that writes to them goes on to its end. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Options of `generate` that can cross: no processors, no clock, drafters and constraints as plain data. `signal` and `onPrefill` stay on this side. */
export type HostedGenerationOptions = Omit<SingleGenerationOptions, 'cache' | 'speculate' | 'constraint' | 'processors' | 'clock'> & {
  /** Where rows are kept for the next call, whose prompt may begin with the same tokens. */
  readonly conversation?: HostedConversation
  /** Drafts tokens that one step verifies together. The output is the same, token for token. Default 'auto'. */
  readonly speculate?: SpeculationChoice
  /** What the output may be. */
  readonly constraint?: ConstraintChoice
}

export type HostedBatchOptions = Omit<GenerationOptions, 'constraint' | 'processors' | 'clock'> & {
  /** What each output may be. */
  readonly constraint?: ConstraintChoice
}

export type HostedScoreOptions = Omit<ScoreOptions, 'clock'>
