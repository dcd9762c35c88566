// Finding the weights that a name means (Node only).

export { cachedHubModel, downloadHubModel, type HubReference } from './hub-model.ts'
export { findByStem, type LocalWeights, weightsAt } from './local-weights.ts'
export { type ModelReference, readModelReference } from './model-reference.ts'
