/**
 * Element types. The names are those of `onnxruntime-common`, so a tensor crosses that border as it is; `bfloat16` exists on
 * our side only (weights arrive in it, nothing computes in it). `int4` and `uint4` hold two elements per byte, the first in the low nibble.
 */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'int4'
  | 'uint4'

/** The typed array that holds the elements of each type; 16-bit floats are held as their bits. */
export interface DataOf {
  float32: Float32Array
  float64: Float64Array
  float16: Uint16Array
  bfloat16: Uint16Array
  int8: Int8Array
  uint8: Uint8Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  uint32: Uint32Array
  int64: BigInt64Array
  uint64: BigUint64Array
  bool: Uint8Array
  int4: Uint8Array
  uint4: Uint8Array
}

export type TensorData = DataOf[DType]
