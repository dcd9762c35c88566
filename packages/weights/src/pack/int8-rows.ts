import type { LinearFormat, PackedLinear } from '@foretoken/tensor'
import { WeightsFormatError } from '../errors.ts'
import type { RowSource } from './row-source.ts'

export type Int8RowsFormat = Extract<LinearFormat, { kind: 'int8-rows' }>

/** Rows that are quantised and turned together: 64 bytes are one cache line of the result. */
const ROWS_AT_A_TIME = 64
/** Below this a row counts as zero: its scale would be a subnormal number, too coarse to divide by. */
const LEAST_MAGNITUDE = 2 ** -100

/**
 * Packs into `int8-rows`: one scale per output, the greatest magnitude of a row becomes ±127, the rest the nearest step (error at most half a step).
 *
 * @throws {WeightsFormatError} when a row holds NaN or an infinity
 */
export function packInt8Rows(source: RowSource, format: Int8RowsFormat): PackedLinear {
  const { outputs, inputs } = source
  const values = new Uint8Array(inputs * outputs)
  // taking 128 away from a byte flips its highest bit
  const flipped = format.isSigned ? 128 : 0
  const scales = new Float32Array(outputs)
  const rows = new Float32Array(ROWS_AT_A_TIME * inputs)
  const steps = new Uint8Array(ROWS_AT_A_TIME * inputs)
  for (let first = 0; first < outputs; first += ROWS_AT_A_TIME) {
    const count = Math.min(ROWS_AT_A_TIME, outputs - first)
    source.readRows(first, count, rows)
    for (let row = 0; row < count; row++) {
      const greatest = greatestMagnitude(rows, row * inputs, inputs)
      if (!Number.isFinite(greatest)) throw notFinite(source, first + row)
      const scale = greatest < LEAST_MAGNITUDE ? 0 : Math.fround(greatest / 127)
      scales[first + row] = scale
      roundToSteps(rows, row * inputs, inputs, scale === 0 ? 0 : 1 / scale, steps)
    }
    for (let input = 0; input < inputs; input++) {
      const to = input * outputs + first
      for (let row = 0; row < count; row++) values[to + row] = (steps[row * inputs + input] ?? 0) ^ flipped
    }
  }
  return { format, outputs, inputs, parts: { values: format.isSigned ? new Int8Array(values.buffer) : values, scales } }
}

/** The error for a weight that no integer format can express. */
export function notFinite(source: RowSource, row: number): WeightsFormatError {
  return new WeightsFormatError({ ...source.placeOf(row), found: 'NaN or an infinity among the weights', expected: 'finite numbers' })
}

/** The greatest magnitude of a run; NaN when one of its elements is not finite. */
export function greatestMagnitude(values: Float32Array, start: number, count: number): number {
  let greatest = 0
  let spoiled = 0
  for (let i = start; i < start + count; i++) {
    const value = values[i] ?? 0
    const magnitude = Math.abs(value)
    if (magnitude > greatest) greatest = magnitude
    spoiled += value * 0
  }
  return greatest + spoiled
}

/** Nearest multiple of the step, stored with 128 added (truncation after adding a half rounds, since the sum is positive). */
function roundToSteps(values: Float32Array, start: number, count: number, inverse: number, into: Uint8Array): void {
  for (let i = start; i < start + count; i++) into[i] = ((values[i] ?? 0) * inverse + 128.5) | 0
}
