/**
 * The bytes of constants written as JavaScript numbers. 16-bit floats are rounded to nearest, ties to even.
 */
import { ArgumentError, type DType } from '@foretoken/tensor'

/** Row-major little-endian elements. @throws {ArgumentError} when a value does not fit the type */
export function constantBytes(type: DType, values: readonly (number | bigint)[]): ArrayBufferView {
  switch (type) {
    case 'float32':
      return Float32Array.from(values, Number)
    case 'float64':
      return Float64Array.from(values, Number)
    case 'float16':
      return Uint16Array.from(values, (value) => float16Bits(Number(value)))
    case 'bfloat16':
      return Uint16Array.from(values, (value) => bfloat16Bits(Number(value)))
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
      return nibbles(whole(type, values, -8n, 7n))
    case 'uint4':
      return nibbles(whole(type, values, 0n, 15n))
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

function nibbles(values: readonly bigint[]): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 2))
  values.forEach((value, index) => {
    packed[index >> 1] = (packed[index >> 1] ?? 0) | ((Number(value) & 15) << (4 * (index & 1)))
  })
  return packed
}

function bfloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0] ?? 0
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  // The gap between neighbours is 2^-24 below 2^-14, and 2^(exponent - 10) from there on.
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -24)))
  const floor = 2 ** exponent > size && exponent > -14 ? exponent - 1 : exponent
  const steps = roundToEven(size / 2 ** (floor - 10))
  return sign | (steps + (floor + 14) * 1024)
}

function roundToEven(value: number): number {
  const down = Math.floor(value)
  const rest = value - down
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down
}
