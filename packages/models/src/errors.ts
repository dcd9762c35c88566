import { ForetokenError } from '@foretoken/tensor'

/** A configuration that is incomplete, contradicts itself, or contradicts the weights. */
export class ConfigError extends ForetokenError {
  readonly code = 'model-config'
}

/** A kind of model, rope, activation or format that this package does not build. */
export class UnsupportedArchitectureError extends ForetokenError {
  readonly code = 'unsupported-architecture'
}

/** Tensors that the architecture needs and the checkpoint lacks, or that the checkpoint has and nothing uses. */
export class CheckpointError extends ForetokenError {
  readonly code = 'checkpoint'
}

/** A step that the model cannot take: wrong lengths, tokens outside the vocabulary, an output it does not have. */
export class StepError extends ForetokenError {
  readonly code = 'step'
}
