import { ForetokenError } from '@foretoken/tensor'

/** Two models that are to work together have other tokens for the same ids, or tell too little to know. */
export class VocabularyError extends ForetokenError {
  readonly code = 'vocabulary'
}

/** Two models whose rows do not fit together. */
export class ModelPairError extends ForetokenError {
  readonly code = 'model-pair'
}
