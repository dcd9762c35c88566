/** 4-bit integers, two to a byte, the first in the low nibble; an odd last one leaves the high nibble 0. */
import { ArgumentError } from './errors.ts'

/** @throws {ArgumentError} for a value outside [-8, 7] (`int4`) or [0, 15] (`uint4`) */
export function packInt4(type: 'int4' | 'uint4', values: ArrayLike<number>): Uint8Array {
  const least = type === 'int4' ? -8 : 0
  const packed = new Uint8Array(Math.ceil(values.length / 2))
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN
    if (!Number.isInteger(value) || value < least || value > least + 15) {
      throw new ArgumentError({ field: `values[${i}]`, found: String(value), expected: `a whole number from ${least} to ${least + 15}` })
    }
    packed[i >> 1] = (packed[i >> 1] ?? 0) | ((value & 15) << (4 * (i & 1)))
  }
  return packed
}

/** The first `elements` values of packed bytes. @throws {ArgumentError} when the bytes hold fewer */
export function unpackInt4(type: 'int4' | 'uint4', packed: Uint8Array, elements: number): Int8Array {
  if (!Number.isSafeInteger(elements) || elements < 0 || elements > 2 * packed.length) {
    throw new ArgumentError({ field: 'elements', found: String(elements), expected: `a whole number from 0 to ${2 * packed.length}` })
  }
  const values = new Int8Array(elements)
  for (let i = 0; i < elements; i++) {
    const nibble = ((packed[i >> 1] ?? 0) >> (4 * (i & 1))) & 15
    values[i] = type === 'int4' && nibble > 7 ? nibble - 16 : nibble
  }
  return values
}
