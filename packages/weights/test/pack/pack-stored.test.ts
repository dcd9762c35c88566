import type { LinearFormat } from '@foretoken/tensor'
import { ArgumentError } from '@foretoken/tensor'
import { decodeToFloat32, packEmbedding, packLinear, packStored } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { randomBlocks } from '../builders/random-blocks.ts'
import { randomNormal } from '../builders/random-bytes.ts'
import { slowDecode } from '../builders/slow-blocks.ts'
import { slowUnpack } from '../builders/slow-unpack.ts'
import { storedFloats, storedTensor } from '../builders/stored-tensor.ts'

const FORMATS: readonly LinearFormat[] = [
  { kind: 'f32' },
  { kind: 'int8-rows' },
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

describe('an embedding', () => {
  test('in f32 is the table', () => {
    const table = randomNormal(10 * WIDTH, 7)
    expect(packEmbedding(storedFloats(table, [10, WIDTH]), 'f32')).toEqual({ format: 'f32', rows: 10, width: WIDTH, values: table })
  })

  test('in Q8_0 is carried into int8 blocks without loss', () => {
    const bytes = randomBlocks('Q8_0', 20, 8)
    const packed = packEmbedding(storedTensor('Q8_0', [10, WIDTH], bytes), 'int8-blocks')
    if (packed.format !== 'int8-blocks') throw new TypeError('another format')
    const values = Float32Array.from(packed.values, (value, index) => (value - 128) * (packed.scales[Math.floor(index / 32)] ?? 0))
    expect(values).toEqual(slowDecode('Q8_0', bytes))
  })

  test('in int8 blocks has the bytes of a linear weight in blocks of 32, which a tied head can use', () => {
    const stored = storedFloats(randomNormal(10 * 70, 9), [10, 70])
    const packed = packEmbedding(stored, 'int8-blocks')
    const { parts } = packStored(stored, { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false })
    expect(packed).toEqual({ format: 'int8-blocks', rows: 10, width: 70, ...parts })
    expect(
      slowUnpack({ format: { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false }, outputs: 10, inputs: 70, parts }),
    ).toHaveLength(700)
  })

  test('that is no matrix is refused', () => {
    expect(() => packEmbedding(storedFloats(new Float32Array(4), [4]), 'f32')).toThrow(ArgumentError)
  })
})
