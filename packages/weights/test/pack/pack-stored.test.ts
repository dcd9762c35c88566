import type { LinearFormat } from '@foretoken/tensor'
import { ArgumentError } from '@foretoken/tensor'
import { decodeToFloat32, packLinear, packStored } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { randomBlocks } from '../builders/random-blocks.ts'
import { randomNormal } from '../builders/random-bytes.ts'
import { storedFloats, storedTensor } from '../builders/stored-tensor.ts'

const FORMATS: readonly LinearFormat[] = [
  { kind: 'f32' },
  { kind: 'int8-rows' },
  { kind: 'int8-rows', isSigned: true },
  { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false },
  { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: true },
]
const WIDTH = 64

function bfloat16(values: Float32Array, shape: readonly number[]) {
  const halves = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16)
  return storedTensor('BF16', shape, new Uint8Array(halves.buffer))
}

describe('stored weights', () => {
  test('are packed as the same weights in memory, whatever their encoding', () => {
    const rows = randomNormal(150 * WIDTH, 1, 0.05)
    for (const stored of [
      storedFloats(rows, [150, WIDTH]),
      bfloat16(rows, [150, WIDTH]),
      storedTensor('Q4_K', [3, 256], randomBlocks('Q4_K', 3, 4)),
    ]) {
      const [outputs = 0, inputs = 0] = stored.shape
      for (const format of FORMATS) {
        if (stored.info.encoding === 'Q4_K' && format.kind === 'blocks' && format.bits === 4) continue
        expect(packStored(stored, format)).toEqual(packLinear(decodeToFloat32(stored), { outputs, inputs, format }))
      }
    }
  })

  test('are stacked in their order, with rows picked by the order of each', () => {
    const first = randomNormal(70 * WIDTH, 2)
    const second = randomNormal(5 * WIDTH, 3)
    const third = randomNormal(90 * WIDTH, 4)
    const rowOrder = Int32Array.from({ length: 90 }, (_, row) => 89 - row)
    const expected = new Float32Array(165 * WIDTH)
    expected.set(first)
    expected.set(second, 70 * WIDTH)
    for (let row = 0; row < 90; row++) expected.set(third.subarray((89 - row) * WIDTH, (90 - row) * WIDTH), (75 + row) * WIDTH)
    for (const format of FORMATS) {
      const parts = [
        { stored: storedFloats(first, [70, WIDTH]) },
        { stored: storedFloats(second, [5, WIDTH]) },
        { stored: storedFloats(third, [90, WIDTH]), rowOrder },
      ]
      expect(packStored(parts, format)).toEqual(packLinear(expected, { outputs: 165, inputs: WIDTH, format }))
    }
  })

  test('that are stored as [inputs, outputs] are turned', () => {
    const rows = randomNormal(70 * WIDTH, 6)
    const turned = Float32Array.from(rows, (_, index) => rows[(index % 70) * WIDTH + Math.floor(index / 70)] ?? 0)
    for (const stored of [storedFloats(turned, [WIDTH, 70]), bfloat16(turned, [WIDTH, 70])]) {
      const expected =
        stored.info.encoding === 'F32' ? rows : rows.map((value) => decodeToFloat32(bfloat16(Float32Array.of(value), [1]))[0] ?? 0)
      for (const format of FORMATS) {
        expect(packStored([{ stored, isTransposed: true }], format)).toEqual(packLinear(expected, { outputs: 70, inputs: WIDTH, format }))
      }
    }
  })

  test('of other widths, no matrices, rows that are not there, turned blocks, and no tensors at all are refused', () => {
    const format: LinearFormat = { kind: 'f32' }
    const matrix = storedFloats(new Float32Array(8), [2, 4], 'a')
    expect(() => packStored([{ stored: matrix }, { stored: storedFloats(new Float32Array(6), [2, 3], 'b') }], format)).toThrow(
      /b.*rows of 3, expected rows of 4/,
    )
    expect(() => packStored(storedFloats(new Float32Array(8), [8]), format)).toThrow(ArgumentError)
    expect(() => packStored([{ stored: matrix, rowOrder: Int32Array.of(0, 2) }], format)).toThrow(/row 2/)
    expect(() => packStored([{ stored: storedTensor('Q4_0', [2, 32], new Uint8Array(36)), isTransposed: true }], format)).toThrow(
      /transposed/,
    )
    expect(() => packStored([], format)).toThrow(ArgumentError)
    const short = storedTensor('Q8_0', [2, 32], new Uint8Array(67))
    for (const each of FORMATS) expect(() => packStored(short, each)).toThrow(/67 bytes/)
    for (const each of FORMATS) {
      const carried = storedTensor('Q8_0', [2, 32], new Uint8Array(68))
      expect(() => packStored([{ stored: carried, rowOrder: Int32Array.of(-1) }], each)).toThrow(/row -1/)
    }
  })
})
