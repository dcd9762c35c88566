// Weights by name.
export type { MetadataValue, StoredTensor, TensorEncoding, TensorInfo, WeightStore } from './weight-store.ts'
