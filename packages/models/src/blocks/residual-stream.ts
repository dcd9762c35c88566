/**
 * The residual stream: what blocks read through a norm and add to. An addition followed by a norm is one operator
 * (SkipSimplifiedLayerNormalization, SkipLayerNormalization), so an addition is held back until it is known what reads it.
 * The stream may be rotated (`../decoder/basis.ts`): rows enter and leave it as trained, and only products see the difference.
 */
import { add, rotateRows, rotateRowsBack, skipLayerNormalization, skipRmsNormalization, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import { type Norm, normalizedStream, normBias, normScale, ones, streamBasis } from './norms.ts'

export interface ResidualStream {
  /** Adds a block's output [1, steps, hidden]. */
  add(delta: Value): void
  /** The stream through a norm [1, steps, hidden]. */
  normalized(norm: Norm): Value
  /** Goes on with these rows [1, steps, hidden] as the stream: a norm's result, where norms stand on the stream and not beside it. */
  restart(rows: Value): void
  /** The stream itself [1, steps, hidden], rotated where it is. */
  value(): Value
  /** The rows of the stream as trained. */
  unrotated(rows: Value): Value
  /** Makes the stream at this point the hidden state of this index, where the graph returns hidden states. */
  mark(index: number): void
}

export function residualStream(decoder: Decoder, start: Value, hidden: number): ResidualStream {
  const rotation = decoder.weights.streamRotation
  const unrotated = (rows: Value): Value => (rotation === undefined ? rows : rotateRowsBack(rows, rotation))
  let sum = rotation === undefined ? start : rotateRows(start, rotation)
  let pending: Value | undefined
  let marked: number | undefined
  // the sum of a marked point exists only once the pending addition has been emitted
  const emitMark = (): void => {
    if (marked !== undefined) decoder.graph.output(`hidden_${marked}`, unrotated(sum))
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
    normalized(norm) {
      if (pending === undefined) {
        emitMark()
        return normalizedStream(decoder, sum, norm, hidden)
      }
      const basis = streamBasis(decoder, norm)
      const scale = basis === undefined ? normScale(decoder, norm, [hidden]) : ones(decoder, [hidden])
      const { epsilon } = norm
      const shift = normBias(decoder, norm, [hidden])
      const [result, total] =
        norm.kind === 'rms'
          ? skipRmsNormalization(sum, pending, scale, { epsilon })
          : skipLayerNormalization(sum, pending, scale, { epsilon, ...(shift === undefined ? {} : { shift }) })
      sum = total
      pending = undefined
      emitMark()
      return decoder.weights.inBasis(result, basis)
    },
    restart(rows) {
      value()
      sum = rows
    },
    value,
    unrotated,
    mark(index) {
      if (decoder.outputs.hidden) marked = index
    },
  }
}
