/**
 * Element types as ONNX counts them, and the groups of them that operators accept.
 */
import type { DType } from '@foretoken/tensor'

/** `TensorProto.DataType` by element type. */
export const ONNX_TYPE: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
}

export const FLOATS: readonly DType[] = ['float32', 'float16', 'float64', 'bfloat16']
const SIGNED_INTEGERS: readonly DType[] = ['int8', 'int16', 'int32', 'int64']
const UNSIGNED_INTEGERS: readonly DType[] = ['uint8', 'uint16', 'uint32', 'uint64']
export const INTEGERS: readonly DType[] = [...SIGNED_INTEGERS, ...UNSIGNED_INTEGERS]
export const NUMBERS: readonly DType[] = [...FLOATS, ...INTEGERS]
export const SIGNED_NUMBERS: readonly DType[] = [...FLOATS, ...SIGNED_INTEGERS]
/** What most data movement accepts: everything that fills whole bytes. */
export const WHOLE_BYTES: readonly DType[] = [...NUMBERS, 'bool']
export const ANY: readonly DType[] = [...WHOLE_BYTES, 'int4', 'uint4']
/** What `Gather` and its relatives take as positions. */
export const INDICES: readonly DType[] = ['int64', 'int32']

const BY_NUMBER: ReadonlyMap<number, DType> = new Map(ANY.map((type) => [ONNX_TYPE[type], type]))

/** The element type with this number in ONNX; undefined for strings, complex numbers and 8-bit floats. */
export function elementTypeOf(number: number): DType | undefined {
  return BY_NUMBER.get(number)
}
