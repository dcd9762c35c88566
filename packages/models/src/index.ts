// Opening a model.
export { type LoadOptions, type LoadProgress, loadCausalLM } from './load.ts'
export type { ExportedChoice } from './exported/exported-files.ts'
export type { HubAccess } from './hub-access.ts'
export type { AdapterOptions } from './adapters/lora-adapter.ts'
export { withAdapters } from './adapters/with-adapters.ts'
export { WEIGHT_FORMATS, type WeightFormat } from './decoder/weight-formats.ts'
// What is kept of converted weights.
export type { StoredModelEntry } from './stored-entry.ts'
export { listStoredModels, removeStoredModel, trimStoredModels } from './stored-models.ts'
// The open model and its step.
export type {
  Capabilities,
  CausalLM,
  DecodeStep,
  GenerationDefaults,
  MemoryUse,
  ModelConfig,
  Plan,
  StepResult,
  Visibility,
  Want,
} from './causal-lm.ts'
// How long steps take.
export { measureStepTimes, type StepTime, type StepTimesOptions, type StepTimeTable, stepTimeTable } from './step-times.ts'
// What a format costs.
export { measureQuality, type Quality, type QualityOptions } from './quality.ts'
// Checkpoints, before they are opened.
export type { Checkpoint, NamedWeight, NamedWeights } from './checkpoint/checkpoint.ts'
export { ggufCheckpoint } from './checkpoint/gguf-checkpoint.ts'
export { huggingFaceCheckpoint, type TextFiles } from './checkpoint/hugging-face-checkpoint.ts'
export { openCheckpoint } from './checkpoint/open-checkpoint.ts'
export { encodeGraph } from './open-graph.ts'
// Errors.
export { CheckpointError, ConfigError, StepError, UnsupportedArchitectureError } from './errors.ts'
