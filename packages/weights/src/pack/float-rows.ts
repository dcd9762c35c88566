import type { PackedLinear } from '@foretoken/tensor'
import type { RowSource } from './row-source.ts'

/** Rows that are turned together: 16 floats are one cache line of the result. */
const ROWS_AT_A_TIME = 16

/** Packs into `f32`: the transposed matrix [inputs, outputs]. */
export function packFloatRows(source: RowSource): PackedLinear {
  const { outputs, inputs } = source
  if (source.turned !== undefined) return { format: { kind: 'f32' }, outputs, inputs, parts: { values: source.turned() } }
  const values = new Float32Array(inputs * outputs)
  const rows = new Float32Array(ROWS_AT_A_TIME * inputs)
  for (let first = 0; first < outputs; first += ROWS_AT_A_TIME) {
    const count = Math.min(ROWS_AT_A_TIME, outputs - first)
    source.readRows(first, count, rows)
    for (let input = 0; input < inputs; input++) {
      const to = input * outputs + first
      for (let row = 0; row < count; row++) values[to + row] = rows[row * inputs + input] ?? 0
    }
  }
  return { format: { kind: 'f32' }, outputs, inputs, parts: { values } }
}
