// Loading a model in a worker.
export { loadInWorker } from './load-in-worker.ts'
export type { HostedProgress, HostOptions, WorkerLike } from './host-options.ts'
export type { ModelSource } from './model-source.ts'
// The model on this side of the messages.
export type {
  HostedBatchOptions,
  HostedConversation,
  HostedGenerationOptions,
  HostedModel,
  HostedScoreOptions,
} from './hosted-model.ts'
export type { HostedTokenizer, TokenView } from './hosted-tokenizer.ts'
export type { ConstraintChoice } from './constraint-choice.ts'
export type { DrafterChoice, SpeculationChoice } from './speculation-choice.ts'
// Errors.
export { SnapshotError, UnsendableError, WorkerCrashedError, WorkerProtocolError } from './errors.ts'
