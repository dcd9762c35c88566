import { packLinear } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { randomNormal } from '../builders/random-bytes.ts'

/** By the definition, element by element: [inputs, outputs] steps of a row's greatest magnitude by 127, around 128 or 0. */
function slowSteps(rows: Float32Array, outputs: number, inputs: number, zero: number): number[] {
  const steps: number[] = []
  for (let input = 0; input < inputs; input++) {
    for (let output = 0; output < outputs; output++) {
      const row = rows.subarray(output * inputs, (output + 1) * inputs)
      const scale = Math.fround(row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127)
      steps.push(Math.floor((row[input] ?? 0) * (1 / scale) + 0.5) + zero)
    }
  }
  return steps
}

describe('every weight is its nearest step, in the column of its output', () => {
  // strips of 64 rows, words of four rows and four inputs, and what does not fit them
  for (const [outputs, inputs] of [
    [136, 256],
    [72, 34],
    [70, 33],
    [3, 5],
  ] as const) {
    const rows = randomNormal(outputs * inputs, outputs, 0.02)
    test(`${outputs} rows of ${inputs}, unsigned`, () => {
      const { values } = packLinear(rows, { outputs, inputs, format: { kind: 'int8-rows' } }).parts
      expect([...new Uint8Array(values?.buffer ?? new ArrayBuffer(0))]).toEqual(slowSteps(rows, outputs, inputs, 128))
    })
    test(`${outputs} rows of ${inputs}, signed`, () => {
      const { values } = packLinear(rows, { outputs, inputs, format: { kind: 'int8-rows', isSigned: true } }).parts
      expect([...new Int8Array(values?.buffer ?? new ArrayBuffer(0))]).toEqual(slowSteps(rows, outputs, inputs, 0))
    })
  }
})
