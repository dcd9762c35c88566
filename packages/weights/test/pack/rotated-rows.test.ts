import { type LinearFormat, randomRotation, rowRotator } from '@foretoken/tensor'
import { packLinear, packStored } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { randomBlocks } from '../builders/random-blocks.ts'
import { randomNormal } from '../builders/random-bytes.ts'
import { slowUnpack } from '../builders/slow-unpack.ts'
import { storedFloats, storedTensor } from '../builders/stored-tensor.ts'

const INPUTS = 96
const OUTPUTS = 72
const weights = randomNormal(OUTPUTS * INPUTS, 3, 0.05)
const scale = randomNormal(INPUTS, 4)
const inputs = randomRotation(INPUTS, 5)
const outputs = randomRotation(OUTPUTS, 6)
const F32: LinearFormat = { kind: 'f32' }

/** x Wᵀ in doubles. */
function product(x: ArrayLike<number>, rows: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, row) => {
    let sum = 0
    for (let at = 0; at < x.length; at++) sum += (x[at] ?? 0) * (rows[row * x.length + at] ?? 0)
    return sum
  })
}

function rotated(x: Float32Array, rotation: ReturnType<typeof randomRotation>): Float32Array {
  const rows = x.slice()
  if (rotation !== undefined) rowRotator(rotation)(rows, 0, 1)
  return rows
}

const x = randomNormal(INPUTS, 7)
const close = (found: readonly number[], expected: ArrayLike<number>) => {
  expect(found).toHaveLength(expected.length)
  for (const [at, value] of found.entries()) expect(Math.abs(value - (expected[at] ?? Number.NaN))).toBeLessThan(2e-5)
}

describe('a weight for another basis', () => {
  test('gives rotated rows without their scale the product that the rows had', () => {
    const packed = packStored([{ stored: storedFloats(weights, [OUTPUTS, INPUTS]) }], F32, { scale, inputs })
    const scaled = x.map((value, at) => value * (scale[at] ?? 0))
    close(product(rotated(x, inputs), slowUnpack(packed), OUTPUTS), product(scaled, weights, OUTPUTS))
  })

  test('gives rows without their scale the product that the rows had', () => {
    const packed = packStored([{ stored: storedFloats(weights, [OUTPUTS, INPUTS]) }], F32, { scale })
    const scaled = x.map((value, at) => value * (scale[at] ?? 0))
    close(product(x, slowUnpack(packed), OUTPUTS), product(scaled, weights, OUTPUTS))
  })

  test('gives a rotated product', () => {
    const packed = packStored([{ stored: storedFloats(weights, [OUTPUTS, INPUTS]) }], F32, { outputs })
    close(product(x, slowUnpack(packed), OUTPUTS), rotated(Float32Array.from(product(x, weights, OUTPUTS)), outputs))
  })

  test('is quantised after that, whatever the format', () => {
    const floats = slowUnpack(packStored(storedFloats(weights, [OUTPUTS, INPUTS]), F32, { scale, inputs, outputs }))
    for (const format of [
      { kind: 'int8-rows' },
      { kind: 'int8-rows', isSigned: true },
      { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false },
    ] as const) {
      const packed = packStored(storedFloats(weights, [OUTPUTS, INPUTS]), format, { scale, inputs, outputs })
      expect(packed).toEqual(packLinear(floats, { outputs: OUTPUTS, inputs: INPUTS, format }))
    }
  })

  test('is not carried over from blocks as it was', () => {
    const stored = storedTensor('Q8_0', [OUTPUTS, INPUTS], randomBlocks('Q8_0', (OUTPUTS * INPUTS) / 32, 8))
    const format: LinearFormat = { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false }
    const carried = packStored(stored, format)
    expect(packStored(stored, format, { outputs })).not.toEqual(carried)
    expect(packStored(stored, format, { inputs })).not.toEqual(carried)
  })

  test('with NaN is refused with the row that has it, although it would be in all', () => {
    const broken = weights.slice()
    broken[20 * INPUTS + 5] = Number.NaN
    const stored = storedFloats(broken, [OUTPUTS, INPUTS], 'the.weight')
    for (const basis of [{ outputs }, { inputs }, { scale, inputs, outputs }]) {
      expect(() => packStored(stored, { kind: 'int8-rows' }, basis)).toThrow(/the\.weight, row 20: found NaN or an infinity/)
    }
  })

  test('of another width is refused with the name of the tensor', () => {
    const stored = storedFloats(weights, [OUTPUTS, INPUTS], 'the.weight')
    expect(() => packStored(stored, F32, { inputs: outputs })).toThrow(/the\.weight.*a width of 96, expected 72/)
    expect(() => packStored(stored, F32, { outputs: inputs })).toThrow(/the\.weight.*a width of 72, expected 96/)
  })
})
