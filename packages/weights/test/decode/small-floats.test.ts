import { numberFromFloat16 } from '@foretoken/tensor'
import { decodeToFloat32, type TensorEncoding } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { joined } from '../builders/little-endian.ts'
import { storedTensor } from '../builders/stored-tensor.ts'

function decoded(encoding: TensorEncoding, count: number, ...bytes: readonly number[]): number[] {
  return [...decodeToFloat32(storedTensor(encoding, [count], Uint8Array.from(bytes)))]
}

describe('values that the descriptions of the formats list', () => {
  test('F8_E4M3: no infinities, greatest 448', () => {
    expect(decoded('F8_E4M3', 8, 0x00, 0x01, 0x07, 0x08, 0x38, 0x7e, 0xfe, 0x7f)).toEqual([
      0,
      2 ** -9,
      0.875 * 2 ** -6,
      2 ** -6,
      1,
      448,
      -448,
      Number.NaN,
    ])
  })
  test('F8_E5M2: as a float16 cut short', () => {
    expect(decoded('F8_E5M2', 7, 0x01, 0x04, 0x3c, 0x7b, 0x7c, 0xfc, 0x7d)).toEqual([
      2 ** -16,
      2 ** -14,
      1,
      57_344,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ])
  })
  test('the FNUZ types: one NaN where negative zero would be', () => {
    expect(decoded('F8_E4M3FNUZ', 5, 0x00, 0x01, 0x40, 0x7f, 0x80)).toEqual([0, 2 ** -10, 1, 240, Number.NaN])
    expect(decoded('F8_E5M2FNUZ', 5, 0x00, 0x01, 0x40, 0x7f, 0x80)).toEqual([0, 2 ** -17, 1, 57_344, Number.NaN])
  })
  test('F8_E8M0: powers of two', () => {
    expect(decoded('F8_E8M0', 4, 0, 127, 254, 255)).toEqual([2 ** -127, 1, 2 ** 127, Number.NaN])
  })
  test('F4: all sixteen, the first in the low nibble', () => {
    expect(decoded('F4', 16, 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe)).toEqual([
      0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6,
    ])
  })
  test('F6: greatest 7.5 and 28, four in three bytes', () => {
    // 0x1f, 0x01, 0x20, 0x08 from the lowest bits on: 0x1f | 0x01 << 6 | 0x20 << 12 | 0x08 << 18
    const bits = 0x1f | (0x01 << 6) | (0x20 << 12) | (0x08 << 18)
    const bytes = [bits & 255, (bits >> 8) & 255, bits >> 16]
    expect(decoded('F6_E2M3', 4, ...bytes)).toEqual([7.5, 0.125, -0, 1])
    expect(decoded('F6_E3M2', 4, ...bytes)).toEqual([28, 0.0625, -0, 0.5])
  })
  test('F16: every pattern as the tensor package decodes it', () => {
    const patterns = Uint16Array.from({ length: 65_536 }, (_, index) => index)
    const values = decodeToFloat32(storedTensor('F16', [65_536], new Uint8Array(patterns.buffer)))
    expect(values).toEqual(Float32Array.from(patterns, numberFromFloat16))
  })
  test('BF16: the upper half of a float32, NaN and subnormals included', () => {
    expect(decoded('BF16', 4, 0x80, 0x3f, 0x00, 0xff, 0xc0, 0x7f, 0x01, 0x00)).toEqual([1, -(2 ** 127), Number.NaN, 2 ** -133])
  })
})

describe('wide numbers and integers', () => {
  test('have their value, at aligned and odd addresses', () => {
    const cases: readonly (readonly [TensorEncoding, ArrayBufferView, readonly number[]])[] = [
      ['F32', Float32Array.of(1.5, -2), [1.5, -2]],
      ['F64', Float64Array.of(0.1, 1e300), [Math.fround(0.1), Number.POSITIVE_INFINITY]],
      ['I64', BigInt64Array.of(-3n, 2n ** 40n), [-3, 2 ** 40]],
      ['U64', BigUint64Array.of(3n, 2n ** 63n), [3, 2 ** 63]],
      ['I32', Int32Array.of(-5, 7), [-5, 7]],
      ['U32', Uint32Array.of(5, 2 ** 31), [5, 2 ** 31]],
      ['I16', Int16Array.of(-300, 1), [-300, 1]],
      ['U16', Uint16Array.of(65_535, 1), [65_535, 1]],
      ['I8', Int8Array.of(-128, 127), [-128, 127]],
      ['U8', Uint8Array.of(255, 0), [255, 0]],
      ['BOOL', Uint8Array.of(1, 0), [1, 0]],
    ]
    for (const [encoding, view, expected] of cases) {
      const bytes = new Uint8Array(view.buffer)
      const odd = joined(new Uint8Array(1), bytes).subarray(1)
      expect([...decodeToFloat32(storedTensor(encoding, [2], bytes))], encoding).toEqual(expected)
      expect([...decodeToFloat32(storedTensor(encoding, [2], odd))], encoding).toEqual(expected)
    }
  })

  test('complex numbers are refused, and bytes that do not fit the shape', () => {
    expect(() => decodeToFloat32(storedTensor('C64', [1], new Uint8Array(8)))).toThrow(/C64/)
    expect(() => decodeToFloat32(storedTensor('F32', [2], new Uint8Array(7)))).toThrow(/7 bytes.*expected 8 bytes/)
    expect(() => decodeToFloat32(storedTensor('Q8_0', [31], new Uint8Array(34)))).toThrow(/whole blocks/)
  })
})
