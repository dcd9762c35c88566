// Weights by name: open a path (Node), or sources from anywhere.

// Where bytes come from.
export { fileSource } from '#platform'
// Stored bytes to numbers.
export { decodeToFloat32 } from './decode/decode.ts'
// Errors.
export { FileError, MissingTensorError, NetworkError, PlatformError, UnsupportedEncodingError, WeightsFormatError } from './errors.ts'
export { openGguf } from './gguf/open-gguf.ts'
export { openWeights } from './open-path.ts'
// Numbers to the formats that linear layers compute with.
export { losslessFormat } from './pack/carry.ts'
export { type PackedEmbedding, packEmbedding } from './pack/pack-embedding.ts'
export { packLinear, packStored } from './pack/pack-linear.ts'
export type { StackedPart } from './pack/row-source.ts'
export { openSafetensors, type SafetensorsOptions } from './safetensors/open-safetensors.ts'
export { readShardIndex, type ShardIndex } from './safetensors/shard-index.ts'
export { blobSource } from './sources/blob-source.ts'
export type { ByteSource } from './sources/byte-source.ts'
export { bytesSource } from './sources/bytes-source.ts'
export { type HttpSourceOptions, httpSource } from './sources/http-source.ts'
export type { MetadataValue, StoredTensor, TensorEncoding, TensorInfo, WeightStore } from './weight-store.ts'
