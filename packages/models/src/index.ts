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
