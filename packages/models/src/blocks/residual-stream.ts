/**
 * The residual stream: what blocks read through a norm and add to. An addition followed by a norm is one operator
 * (SkipSimplifiedLayerNormalization), so an addition is held back until it is known what reads it.
 */
import { add, rmsNormalization, skipRmsNormalization, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'

export interface ResidualStream {
  /** Adds a block's output [1, steps, hidden]. */
  add(delta: Value): void
  /** The stream, normalised by its root mean square and scaled by the weight of this name. */
  rmsNorm(weight: string, epsilon: number): Value
  /** The stream itself [1, steps, hidden]. */
  value(): Value
  /** Makes the stream at this point the hidden state of this index, where the graph returns hidden states. */
  mark(index: number): void
}

export function residualStream(decoder: Decoder, start: Value, hidden: number): ResidualStream {
  let sum = start
  let pending: Value | undefined
  let marked: number | undefined
  // the sum of a marked point exists only once the pending addition has been emitted
  const emitMark = (): void => {
    if (marked !== undefined) decoder.graph.output(`hidden_${marked}`, sum)
    marked = undefined
  }
  const value = (): Value => {
    if (pending !== undefined) {
      sum = add(sum, pending)
      pending = undefined
    }
    emitMark()
    return sum
  }
  return {
    add(delta) {
      value()
      pending = delta
    },
    rmsNorm(weight, epsilon) {
      const scale = decoder.weights.vector(weight, [hidden])
      if (pending === undefined) {
        emitMark()
        return rmsNormalization(sum, scale, { epsilon })
      }
      const [normalized, total] = skipRmsNormalization(sum, pending, scale, { epsilon })
      sum = total
      pending = undefined
      emitMark()
      return normalized
    },
    value,
    mark(index) {
      if (decoder.outputs.hidden) marked = index
    },
  }
}
