// Finding the weights that a name means (Node only).

export { cachedHubModel, downloadHubModel } from './hub-model.ts'
export { findByStem, type LocalWeights, weightsAt } from './local-weights.ts'
export { type ModelReference, readModelReference } from './model-reference.ts'
export type { HubReference } from './pick-weights.ts'
