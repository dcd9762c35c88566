/** Norms of a row: by the root mean square (Zhang and Sennrich 2019), or by mean and variance (Ba et al. 2016). */
import { layerNormalization, rmsNormalization, type Value } from '@foretoken/graph'
import type { Basis } from '../decoder/basis.ts'
import type { Decoder } from '../decoder/decoder.ts'

export type Norm =
  | {
      readonly kind: 'rms'
      /** Name of the scale [width]. */
      readonly weight: string
      readonly epsilon: number
      /** Added to the stored scale: 1 where the model is trained with scales around zero (Gemma). */
      readonly offset?: number
    }
  | {
      readonly kind: 'layer'
      /** Absent where the norm has no scale (OLMo 1). */
      readonly weight?: string
      readonly bias?: string
      readonly epsilon: number
    }

/** The scale of a norm that has none: the operators want one. Equal ones above 4 KB are not merged: 16 KB a norm at a width of 4096. */
export function ones(decoder: Decoder, dims: readonly number[]): Value {
  return decoder.graph.constant('float32', dims, new Array<number>(dims.reduce((product, dim) => product * dim, 1)).fill(1))
}

/** The scale of a norm over the last `dims` of its input. */
export function normScale(decoder: Decoder, norm: Norm, dims: readonly number[]): Value {
  if (norm.weight === undefined) return ones(decoder, dims)
  return decoder.weights.vector(norm.weight, dims, norm.kind === 'rms' && norm.offset !== undefined ? { offset: norm.offset } : {})
}

export function normBias(decoder: Decoder, norm: Norm, dims: readonly number[]): Value | undefined {
  return norm.kind === 'layer' && norm.bias !== undefined ? decoder.weights.vector(norm.bias, dims) : undefined
}

/** Rows [..., hidden] of a residual stream, normalised: in a rotated stream without the scale, which the weights that read them contain. */
export function normalizedStream(decoder: Decoder, rows: Value, norm: Norm, hidden: number): Value {
  const { weights } = decoder
  const basis = streamBasis(decoder, norm)
  if (basis === undefined) return normalized(decoder, rows, norm, hidden)
  return weights.inBasis(rmsNormalization(rows, ones(decoder, [hidden]), { epsilon: norm.epsilon }), basis)
}

/** The basis of what a norm gives of the stream; undefined where the stream is as trained. */
export function streamBasis({ weights }: Decoder, norm: Norm): Basis | undefined {
  const rotation = weights.streamRotation
  if (rotation === undefined) return undefined
  if (norm.kind !== 'rms') throw new RangeError('a rotated stream has RMS norms')
  return { rotation, scale: { weight: norm.weight, ...(norm.offset === undefined ? {} : { offset: norm.offset }) } }
}

/** x [..., width] normalised over its last dimension. */
export function normalized(decoder: Decoder, x: Value, norm: Norm, width: number): Value {
  const scale = normScale(decoder, norm, [width])
  const options = { epsilon: norm.epsilon }
  return norm.kind === 'rms' ? rmsNormalization(x, scale, options) : layerNormalization(x, scale, normBias(decoder, norm, [width]), options)
}
