/** Making tensors, and the arithmetic of element types. */
import type { DataOf, DType } from './dtype.ts'
import { DTypeError, ShapeError } from './errors.ts'
import type { Tensor } from './tensor.ts'

/** Bits per element. */
export const BITS_PER_ELEMENT: Readonly<Record<DType, number>> = {
  float32: 32,
  float64: 64,
  float16: 16,
  bfloat16: 16,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  bool: 8,
  int4: 4,
  uint4: 4,
}

/**
 * A tensor over `data`, which is kept, not copied.
 *
 * @param dims  whole numbers >= 0; [] is a scalar
 * @throws {ShapeError} when `dims` are no dimensions, or their product is not the number of elements in `data`
 * @throws {DTypeError} when `data` is not the typed array that belongs to `type`
 */
export function tensor<T extends DType>(type: T, dims: readonly number[], data: DataOf[T]): Tensor<T> {
  if (!isDataOf(type, data)) {
    throw new DTypeError({ field: 'data', found: Object.prototype.toString.call(data), expected: `${ARRAY_TAG[type]} for ${type}` })
  }
  const size = elementsOf(dims)
  const length = arrayLength(type, size)
  if (data.length !== length) {
    throw new ShapeError({
      field: 'data',
      found: `${data.length} elements in the array`,
      expected: `${length} for ${type} [${dims.join(', ')}]`,
    })
  }
  return { type, dims: [...dims], data, location: 'cpu', size }
}

/**
 * Number of elements: the product of the dimensions, 1 for a scalar.
 *
 * @throws {ShapeError} for a dimension that is not a whole number >= 0, or a product beyond 2^53
 */
export function elementsOf(dims: readonly number[]): number {
  let elements = 1
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new ShapeError({ field: 'dims', found: `[${dims.join(', ')}]`, expected: 'whole numbers >= 0' })
    }
    elements *= dim
  }
  if (!Number.isSafeInteger(elements))
    throw new ShapeError({ field: 'dims', found: `[${dims.join(', ')}]`, expected: 'fewer than 2^53 elements' })
  return elements
}

/** Entries of the typed array that holds `elements` elements: as many, or half as many bytes for the 4-bit types. */
export function arrayLength(type: DType, elements: number): number {
  return BITS_PER_ELEMENT[type] === 4 ? Math.ceil(elements / 2) : elements
}

/** Bytes that `elements` elements take. */
export function byteLengthOf(type: DType, elements: number): number {
  return Math.ceil((elements * BITS_PER_ELEMENT[type]) / 8)
}

/** Whether `data` is the typed array that belongs to `type`; one of another realm (a frame, a worker's message) is as good. */
export function isDataOf(type: DType, data: unknown): boolean {
  return Object.prototype.toString.call(data) === ARRAY_TAG[type]
}

const ARRAY_TAG: Readonly<Record<DType, string>> = {
  float32: '[object Float32Array]',
  float64: '[object Float64Array]',
  float16: '[object Uint16Array]',
  bfloat16: '[object Uint16Array]',
  int8: '[object Int8Array]',
  uint8: '[object Uint8Array]',
  int16: '[object Int16Array]',
  uint16: '[object Uint16Array]',
  int32: '[object Int32Array]',
  uint32: '[object Uint32Array]',
  int64: '[object BigInt64Array]',
  uint64: '[object BigUint64Array]',
  bool: '[object Uint8Array]',
  int4: '[object Uint8Array]',
  uint4: '[object Uint8Array]',
}
