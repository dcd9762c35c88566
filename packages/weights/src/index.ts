// Weights by name: open a path (Node), or sources from anywhere.

export { checkGgufModel, type GgufModelFacts } from './gguf/model-metadata.ts'
export { openGguf } from './gguf/open-gguf.ts'
export { openWeightFiles, openWeights } from './open-path.ts'
export { openSafetensors, type SafetensorsOptions } from './safetensors/open-safetensors.ts'
export { readShardIndex, type ShardIndex } from './safetensors/shard-index.ts'
export { joinMicroscaled } from './store/microscaled-tensors.ts'
export { joinScaledFloat8 } from './store/scaled-float8.ts'
export type { MetadataValue, StoredTensor, TensorEncoding, TensorInfo, WeightStore } from './weight-store.ts'

// The files of a model, wherever they are.

export { blobFiles, type ChosenFiles, type FileSet, isChosenFiles, readFileText } from './file-set.ts'

// Where bytes come from.

export { fileSource } from '#platform'
export { blobSource } from './sources/blob-source.ts'
export type { ByteSource } from './sources/byte-source.ts'
export { bytesSource } from './sources/bytes-source.ts'
export { type HttpSourceOptions, httpSource } from './sources/http-source.ts'

// Stored bytes to numbers.

export { decodeToFloat32 } from './decode/decode.ts'

// Numbers to the formats that linear layers compute with.

export { losslessFormat } from './pack/carry.ts'
export { packLinear, packStored } from './pack/pack-linear.ts'
export type { WeightBasis } from './pack/rotated-rows.ts'
export type { StackedPart } from './pack/row-source.ts'

// Writing files.

export { quantizeBlocks, type WritableBlocks } from './gguf/quantize-blocks.ts'
export { type GgufValue, writeGguf } from './gguf/write-gguf.ts'
export { writeSafetensors } from './safetensors/write-safetensors.ts'
export type { TensorToWrite } from './tensor-to-write.ts'

// Errors.

export { FileError, MissingTensorError, NetworkError, PlatformError, UnsupportedEncodingError, WeightsFormatError } from './errors.ts'
