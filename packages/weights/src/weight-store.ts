/**
 * Weights by name, read lazily: the header is known, the bytes of a tensor are fetched when they are asked for.
 * One interface for safetensors (single and sharded) and GGUF (single and split), from a file, a Blob or an HTTP server.
 */
export interface WeightStore extends AsyncDisposable {
  readonly format: 'safetensors' | 'gguf'
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** GGUF metadata, or the `__metadata__` strings of safetensors. 64-bit integers are `bigint`. */
  readonly metadata: ReadonlyMap<string, MetadataValue>
  /** The bytes of a tensor as stored, or of the rows [firstRow, firstRow + rows) of its first dimension. */
  read(name: string, options?: { readonly firstRow?: number; readonly rows?: number; readonly signal?: AbortSignal }): Promise<StoredTensor>
}

export type MetadataValue = string | number | bigint | boolean | readonly MetadataValue[]

/** How elements are stored. Safetensors' names where it has them, ggml's for block formats. */
export type TensorEncoding =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'F8_E8M0'
  | 'F4'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'C64'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q8_1'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'Q8_K'
  | 'MXFP4'

export interface TensorInfo {
  readonly name: string
  readonly encoding: TensorEncoding
  /** Row-major, slowest first: a linear weight is [outputs, inputs] (GGUF lists them the other way round; we turn them). */
  readonly shape: readonly number[]
  readonly byteLength: number
  /** The file that holds it, for error messages. */
  readonly file: string
}

export interface StoredTensor {
  readonly info: TensorInfo
  /** Shape of what was read: `info.shape`, with the first dimension replaced when rows were chosen. */
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}
