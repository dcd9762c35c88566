/**
 * A short causal convolution of each channel by itself, before a recurrence: a row is the weighted sum of the rows that end with it. The
 * rows that each one reads are gathered by index, so that in a tree they are its ancestors.
 */
import { add, gather, multiply, reduceSum, type Value } from '@foretoken/graph'
import type { Decoder, RecurrentInputs } from '../decoder/decoder.ts'

export interface ConvolutionOptions {
  /** [channels, 1, kernel], or [channels, kernel] in GGUF. */
  readonly weight: string
  /** [channels] */
  readonly bias?: string
  readonly channels: number
  readonly kernel: number
}

/** @param rows  [window + tail + steps, channels]; @returns [tail + steps, channels] */
export function causalConvolution(decoder: Decoder, rows: Value, taps: RecurrentInputs['taps'], options: ConvolutionOptions): Value {
  const { weight, bias, channels, kernel } = options
  const stored = [
    [channels, 1, kernel],
    [channels, kernel],
  ]
  const weights = decoder.weights.derived(weight, stored, {
    dims: [kernel, 1, channels],
    values: (values) => transposed(values, channels, kernel),
  })
  const read = gather(rows, taps) // [kernel, tail + steps, channels]
  const sum = reduceSum(multiply(read, weights), [0], { keepDims: false })
  return bias === undefined ? sum : add(sum, decoder.weights.vector(bias, [channels]))
}

/** [rows, columns] -> [columns, rows] */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column] ?? 0
  return out
}
