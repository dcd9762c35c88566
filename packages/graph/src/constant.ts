/**
 * The bytes of constants written as JavaScript numbers. 16-bit floats are rounded to nearest, ties to even.
 */
import { ArgumentError, type DType, encodeBFloat16, float16FromNumber, packInt4 } from '@foretoken/tensor'

/** Row-major little-endian elements. @throws {ArgumentError} when a value does not fit the type */
export function constantBytes(type: DType, values: readonly (number | bigint)[]): ArrayBufferView {
  switch (type) {
    case 'float32':
      return Float32Array.from(values, Number)
    case 'float64':
      return Float64Array.from(values, Number)
    case 'float16':
      return Uint16Array.from(values, (value) => float16FromNumber(Number(value)))
    case 'bfloat16':
      return encodeBFloat16(Float32Array.from(values, Number))
    case 'int64':
      return BigInt64Array.from(whole(type, values, -(2n ** 63n), 2n ** 63n - 1n))
    case 'uint64':
      return BigUint64Array.from(whole(type, values, 0n, 2n ** 64n - 1n))
    case 'int32':
      return Int32Array.from(whole(type, values, -(2n ** 31n), 2n ** 31n - 1n), Number)
    case 'uint32':
      return Uint32Array.from(whole(type, values, 0n, 2n ** 32n - 1n), Number)
    case 'int16':
      return Int16Array.from(whole(type, values, -(2n ** 15n), 2n ** 15n - 1n), Number)
    case 'uint16':
      return Uint16Array.from(whole(type, values, 0n, 2n ** 16n - 1n), Number)
    case 'int8':
      return Int8Array.from(whole(type, values, -128n, 127n), Number)
    case 'uint8':
      return Uint8Array.from(whole(type, values, 0n, 255n), Number)
    case 'bool':
      return Uint8Array.from(whole(type, values, 0n, 1n), Number)
    case 'int4':
      return packInt4(type, whole(type, values, -8n, 7n).map(Number))
    case 'uint4':
      return packInt4(type, whole(type, values, 0n, 15n).map(Number))
  }
}

/** Equal for equal constants. */
export function constantKey(type: DType, dims: readonly number[], data: ArrayBufferView): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return `${type} ${dims.join(',')} ${bytes.join(',')}`
}

function whole(type: DType, values: readonly (number | bigint)[], least: bigint, most: bigint): bigint[] {
  return values.map((value) => {
    const integer = typeof value === 'bigint' ? value : Number.isInteger(value) ? BigInt(value) : undefined
    if (integer === undefined || integer < least || integer > most) {
      throw new ArgumentError({ field: `constant of ${type}`, found: `${value}`, expected: `whole numbers from ${least} to ${most}` })
    }
    return integer
  })
}
