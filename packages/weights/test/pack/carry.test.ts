import type { LinearFormat } from '@foretoken/tensor'
import { decodeToFloat32, losslessFormat, packStored, type TensorEncoding } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { randomBlocks } from '../builders/random-blocks.ts'
import { SLOW_BLOCKS, slowDecode } from '../builders/slow-blocks.ts'
import { slowUnpack } from '../builders/slow-unpack.ts'
import { storedTensor } from '../builders/stored-tensor.ts'

const ROWS = 6
const WIDTH = 512

function randomTensor(encoding: TensorEncoding, seed = 3) {
  const elements = SLOW_BLOCKS.find((block) => block.encoding === encoding)?.elements ?? 0
  return storedTensor(encoding, [ROWS, WIDTH], randomBlocks(encoding, (ROWS * WIDTH) / elements, seed))
}

/** Without the sign of zero, which a correction of 0 removes. */
function plainZeros(values: Float32Array): Float32Array {
  return values.map((value) => value + 0)
}

const EXACT: readonly (readonly [TensorEncoding, LinearFormat])[] = [
  ['Q4_0', { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: false }],
  ['Q5_0', { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false }],
  ['Q5_1', { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: true }],
  ['Q8_0', { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false }],
  ['Q8_1', { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false }],
  ['Q2_K', { kind: 'blocks', bits: 4, blockSize: 16, hasMinima: true }],
  ['Q3_K', { kind: 'blocks', bits: 4, blockSize: 16, hasMinima: false }],
  ['Q5_K', { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: true }],
  ['Q6_K', { kind: 'blocks', bits: 8, blockSize: 16, hasMinima: false }],
  ['Q8_K', { kind: 'blocks', bits: 8, blockSize: 128, hasMinima: false }],
  ['MXFP4', { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false }],
]

describe('the packed weight is the de-quantised one, bit for bit', () => {
  for (const [encoding, format] of EXACT) {
    test(`${encoding} in its own format`, () => {
      expect(losslessFormat(encoding)).toEqual(format)
      const stored = randomTensor(encoding)
      const packed = packStored(stored, format)
      expect(packed).toMatchObject({ format, outputs: ROWS, inputs: WIDTH })
      expect(slowUnpack(packed)).toEqual(slowDecode(encoding, stored.bytes))
    })
  }

  test('every encoding in 8 bits, blocks of 16, with minima', () => {
    for (const { encoding } of SLOW_BLOCKS) {
      const stored = randomTensor(encoding)
      const packed = packStored(stored, { kind: 'blocks', bits: 8, blockSize: 16, hasMinima: true })
      expect(plainZeros(slowUnpack(packed)), encoding).toEqual(plainZeros(slowDecode(encoding, stored.bytes)))
    }
  })
})

describe('Q4_1 and Q4_K in 4 bits', () => {
  for (const encoding of ['Q4_1', 'Q4_K'] as const) {
    test(`${encoding}: integers and scales are kept; values differ by the roundings of minimum + 8 * scale and of the sum`, () => {
      const format = losslessFormat(encoding)
      expect(format).toEqual({ kind: 'blocks', bits: 4, blockSize: 32, hasMinima: true })
      if (format === undefined) return
      const stored = randomTensor(encoding)
      const packed = packStored(stored, format)
      const expected = slowDecode(encoding, stored.bytes)
      for (const [index, value] of slowUnpack(packed).entries()) {
        const output = Math.floor(index / WIDTH)
        const block = Math.floor((index % WIDTH) / 32)
        const scale = Math.abs(packed.parts.scales?.[output * 16 + block] ?? 0)
        const correction = Math.abs(packed.parts.corrections?.[block * ROWS + output] ?? 0)
        // Half a unit in the last place for each rounding: the correction, the products, the sums.
        expect(Math.abs(value - (expected[index] ?? 0))).toBeLessThanOrEqual(2 ** -24 * (3 * correction + 4 * 15 * scale))
      }
    })
  }
})

describe('a format for several encodings at once', () => {
  test('is the smallest that holds each: Q4_K beside Q6_K, Q4_0 beside Q8_0', () => {
    expect(losslessFormat('Q4_K', 'Q6_K')).toEqual({ kind: 'blocks', bits: 8, blockSize: 16, hasMinima: true })
    expect(losslessFormat('Q4_0', 'Q8_0')).toEqual({ kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false })
    expect(losslessFormat('F32', 'BF16', 'F16')).toEqual({ kind: 'f32' })
    expect(losslessFormat('F32', 'Q8_0')).toBeUndefined()
    expect(losslessFormat('I32')).toBeUndefined()
    expect(losslessFormat()).toBeUndefined()
  })

  test('carries the stacked tensors, each with an order of rows', () => {
    const format = losslessFormat('Q4_K', 'Q6_K')
    if (format === undefined) throw new TypeError('no format')
    const first = randomTensor('Q4_K', 5)
    const second = randomTensor('Q6_K', 6)
    const rowOrder = Int32Array.of(5, 0, 3)
    const packed = packStored([{ stored: first }, { stored: second, rowOrder }], format)
    expect(packed.outputs).toBe(ROWS + 3)
    const expected = new Float32Array((ROWS + 3) * WIDTH)
    expected.set(slowDecode('Q4_K', first.bytes))
    const rows = slowDecode('Q6_K', second.bytes)
    for (const [index, row] of rowOrder.entries()) expected.set(rows.subarray(row * WIDTH, (row + 1) * WIDTH), (ROWS + index) * WIDTH)
    expect(plainZeros(slowUnpack(packed))).toEqual(plainZeros(expected))
  })
})

describe('encodings that are carried in whole words', () => {
  for (const encoding of ['Q4_0', 'Q4_1', 'Q8_0'] as const) {
    const elements = 40 * 96
    const size = SLOW_BLOCKS.find((block) => block.encoding === encoding)?.bytes ?? 0
    const bytes = randomBlocks(encoding, elements / 32, 9)
    const format = losslessFormat(encoding) ?? { kind: 'f32' }

    test(`${encoding}: more rows than a strip, in another order, behind another tensor`, () => {
      const stored = storedTensor(encoding, [40, 96], bytes)
      const rowOrder = Int32Array.from({ length: 40 }, (_, row) => (row * 7) % 40)
      const packed = packStored([{ stored }, { stored, rowOrder }], format)
      const rows = slowDecode(encoding, bytes)
      const expected = new Float32Array(2 * elements)
      expected.set(rows)
      for (const [index, row] of rowOrder.entries()) expected.set(rows.subarray(row * 96, (row + 1) * 96), elements + index * 96)
      // Half a unit in the last place for each rounding, where minima become corrections.
      const tolerance = encoding === 'Q4_1' ? 2 ** -20 : 0
      for (const [index, value] of slowUnpack(packed).entries())
        expect(Math.abs(value - (expected[index] ?? 0))).toBeLessThanOrEqual(tolerance)
    })

    test(`${encoding}: bytes that begin at an odd place of their buffer`, () => {
      const shifted = new Uint8Array(bytes.length + 1).subarray(1)
      shifted.set(bytes)
      expect(bytes.length).toBe((elements / 32) * size)
      expect(packStored(storedTensor(encoding, [40, 96], shifted), format)).toEqual(
        packStored(storedTensor(encoding, [40, 96], bytes), format),
      )
    })
  }
})

test('a format that cannot hold an encoding re-quantises it', () => {
  const stored = randomTensor('Q6_K')
  const packed = packStored(stored, { kind: 'blocks', bits: 8, blockSize: 64, hasMinima: false })
  const expected = decodeToFloat32(stored)
  const unpacked = slowUnpack(packed)
  for (const [index, value] of expected.entries()) {
    expect(Math.abs((unpacked[index] ?? 0) - value)).toBeLessThanOrEqual((packed.parts.scales?.[Math.floor(index / 64)] ?? 0) * 0.5001)
  }
})
