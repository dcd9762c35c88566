import type { LinearFormat } from '@foretoken/tensor'
import { packLinear, packStored, WeightsFormatError } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { randomNormal } from '../builders/random-bytes.ts'
import { slowUnpack } from '../builders/slow-unpack.ts'
import { storedFloats } from '../builders/stored-tensor.ts'

const OUTPUTS = 37
const INPUTS = 100
const weights = randomNormal(OUTPUTS * INPUTS, 5, 0.05)

function blocks(bits: 4 | 8, blockSize: 16 | 32 | 64 | 128, hasMinima: boolean): LinearFormat {
  return { kind: 'blocks', bits, blockSize, hasMinima }
}

const INTEGER_FORMATS: readonly LinearFormat[] = [
  { kind: 'int8-rows' },
  { kind: 'int8-rows', isSigned: true },
  ...([16, 32, 64, 128] as const).flatMap((size) => [
    blocks(4, size, false),
    blocks(4, size, true),
    blocks(8, size, false),
    blocks(8, size, true),
  ]),
]

describe('f32', () => {
  test('is the transposed matrix', () => {
    const packed = packLinear(weights, { outputs: OUTPUTS, inputs: INPUTS, format: { kind: 'f32' } })
    expect(packed).toMatchObject({ format: { kind: 'f32' }, outputs: OUTPUTS, inputs: INPUTS })
    expect(slowUnpack(packed)).toEqual(weights)
  })
})

describe('int8 rows', () => {
  const packed = packLinear(weights, { outputs: OUTPUTS, inputs: INPUTS, format: { kind: 'int8-rows' } })

  test('have one scale per output, so that the greatest magnitude is 127 steps', () => {
    for (let output = 0; output < OUTPUTS; output++) {
      const greatest = Math.max(...weights.subarray(output * INPUTS, (output + 1) * INPUTS).map(Math.abs))
      expect(packed.parts.scales?.[output]).toBe(Math.fround(greatest / 127))
    }
  })

  test('are the nearest steps, stored with 128 added, transposed', () => {
    for (let output = 0; output < OUTPUTS; output++) {
      const scale = packed.parts.scales?.[output] ?? 0
      for (let input = 0; input < INPUTS; input++) {
        const exact = (weights[output * INPUTS + input] ?? 0) / scale
        expect(Math.abs((packed.parts.values[input * OUTPUTS + output] ?? 0) - 128 - exact)).toBeLessThanOrEqual(0.5 + 1e-6)
      }
    }
  })

  test('that are signed stand for the same weights, in int8', () => {
    const signed = packLinear(weights, { outputs: OUTPUTS, inputs: INPUTS, format: { kind: 'int8-rows', isSigned: true } })
    expect(signed.parts.values).toBeInstanceOf(Int8Array)
    expect(slowUnpack(signed)).toEqual(slowUnpack(packed))
  })

  test('of zeros and of numbers too small for a scale are zeros', () => {
    const rows = Float32Array.of(0, 0, 1e-40, -1e-40, 1, 0)
    const small = packLinear(rows, { outputs: 3, inputs: 2, format: { kind: 'int8-rows' } })
    expect([...slowUnpack(small)].map((value) => value + 0)).toEqual([0, 0, 0, 0, 1, 0])
  })
})

describe('blocks', () => {
  test('of 8 bits are off by half a step at most', () => {
    for (const format of INTEGER_FORMATS) {
      if (format.kind !== 'blocks' || format.bits !== 8) continue
      const packed = packLinear(weights, { outputs: OUTPUTS, inputs: INPUTS, format })
      const unpacked = slowUnpack(packed)
      const inRow = Math.ceil(INPUTS / format.blockSize)
      for (const [index, value] of weights.entries()) {
        const block = Math.floor(index / INPUTS) * inRow + Math.floor((index % INPUTS) / format.blockSize)
        expect(Math.abs((unpacked[index] ?? 0) - value)).toBeLessThanOrEqual((packed.parts.scales?.[block] ?? 0) * 0.5001 + 1e-8)
      }
    }
  })

  test('that inputs do not fill are padded with the zero point', () => {
    for (const [format, padding] of [
      [blocks(8, 128, false), 128],
      [blocks(4, 128, true), 0x88],
    ] as const) {
      const { values } = packLinear(weights, { outputs: OUTPUTS, inputs: INPUTS, format }).parts
      const rowBytes = values.length / OUTPUTS
      expect(rowBytes).toBe(padding === 128 ? 128 : 64)
      const filled = padding === 128 ? INPUTS : INPUTS / 2
      for (let output = 0; output < OUTPUTS; output++) {
        expect(new Set(values.subarray(output * rowBytes + filled, (output + 1) * rowBytes))).toEqual(new Set([padding]))
      }
    }
  })

  test('of equal values are kept exactly where there are minima', () => {
    const packed = packLinear(new Float32Array(64).fill(0.3), { outputs: 2, inputs: 32, format: blocks(4, 32, true) })
    expect(slowUnpack(packed)).toEqual(new Float32Array(64).fill(0.3))
  })

  test('of weights that lie on sixteen levels are kept to rounding', () => {
    const onGrid = Float32Array.from({ length: 64 }, (_, index) => 0.02 * ((index * 7) % 16) - 0.11)
    const unpacked = slowUnpack(packLinear(onGrid, { outputs: 2, inputs: 32, format: blocks(4, 32, true) }))
    for (const [index, value] of onGrid.entries()) expect(unpacked[index]).toBeCloseTo(value, 6)
    const symmetric = Float32Array.from({ length: 64 }, (_, index) => 0.02 * (((index * 7) % 16) - 8))
    const again = slowUnpack(packLinear(symmetric, { outputs: 2, inputs: 32, format: blocks(4, 32, false) }))
    for (const [index, value] of symmetric.entries()) expect(again[index]).toBeCloseTo(value, 6)
  })
})

describe('what no format can hold', () => {
  test('NaN and infinities are refused by the integer formats, with tensor and row', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const broken = weights.slice()
      broken[20 * INPUTS + 99] = value
      for (const format of INTEGER_FORMATS) {
        const pack = () => packStored(storedFloats(broken, [OUTPUTS, INPUTS], 'the.weight'), format)
        expect(pack).toThrow(WeightsFormatError)
        expect(pack).toThrow(/the\.weight, row 20: found NaN or an infinity/)
      }
    }
  })

  test('NaN is kept by f32', () => {
    const packed = packLinear(Float32Array.of(1, Number.NaN), { outputs: 1, inputs: 2, format: { kind: 'f32' } })
    expect(packed.parts.values).toEqual(Float32Array.of(1, Number.NaN))
  })

  test('a number of values that does not fit the shape is refused', () => {
    expect(() => packLinear(weights, { outputs: OUTPUTS, inputs: INPUTS + 1, format: { kind: 'f32' } })).toThrow(/3700 values/)
  })
})
