/** Attention of a layer with its projections: queries, keys and values from one input, norms of heads, rotary embedding, output. */
import { clip, rotaryEmbedding, split, type Value } from '@foretoken/graph'
import { type Decoder, layerOf } from '../decoder/decoder.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import { cachedAttention } from './attention.ts'
import { type HeadNorms, headNormalized } from './head-norms.ts'

export interface SelfAttentionOptions {
  readonly hidden: number
  /** Together the rows of all queries, then all keys, then all values: three weights, or one fused weight with the order of its rows. */
  readonly projections: readonly LinearPart[]
  readonly output: LinearPart
  /** Multiplies the scores; 1 / sqrt(keyDim) when absent. */
  readonly scale?: number
  readonly headNorms?: HeadNorms
  /** Limits queries, keys and values to ±clip (MPT, OLMo 1). */
  readonly clip?: number
  /** Squashes scores to ±softCap. */
  readonly softCap?: number
  /** Name of one learned logit for each head [heads] that takes part in the softmax and has no value (gpt-oss). */
  readonly sinks?: string
}

/** `q_proj`, `k_proj`, `v_proj` and `o_proj` below a prefix, as most decoders name them. */
export function separateProjections(
  decoder: Decoder,
  layer: number,
  prefix: string,
  options: { readonly hidden: number; readonly hasInputBias?: boolean; readonly hasOutputBias?: boolean; readonly outputName?: string },
): { readonly projections: readonly LinearPart[]; readonly output: LinearPart } {
  const { heads, kvHeads, keyDim, valueDim } = layerOf(decoder, layer)
  const part = (name: string, outputs: number, hasBias: boolean | undefined): LinearPart => ({
    name: `${prefix}.${name}.weight`,
    outputs,
    ...(hasBias ? { bias: `${prefix}.${name}.bias` } : {}),
  })
  return {
    projections: [
      part('q_proj', heads * keyDim, options.hasInputBias),
      part('k_proj', kvHeads * keyDim, options.hasInputBias),
      part('v_proj', kvHeads * valueDim, options.hasInputBias),
    ],
    output: part(options.outputName ?? 'o_proj', options.hidden, options.hasOutputBias),
  }
}

/** x [1, steps, hidden] -> [1, steps, hidden] */
export function selfAttention(decoder: Decoder, layer: number, x: Value, options: SelfAttentionOptions): Value {
  const { heads, kvHeads, keyDim, valueDim } = layerOf(decoder, layer)
  const projected = decoder.weights.linear(x, options.projections, { role: 'linear', inputs: options.hidden })
  const limited = options.clip === undefined ? projected : clip(projected, -options.clip, options.clip)
  const { query, key, value } = options.headNorms === undefined ? turnedTogether(limited) : turnedApart(limited, options.headNorms)
  const attended = cachedAttention(decoder, layer, {
    query,
    key,
    value,
    scale: options.scale ?? 1 / Math.sqrt(keyDim),
    ...(options.softCap === undefined ? {} : { softCap: options.softCap }),
    ...(options.sinks === undefined ? {} : { sinks: decoder.weights.vector(options.sinks, [heads]) }),
  })
  return decoder.weights.linear(attended, [options.output], { role: 'linear', inputs: heads * valueDim, isAddedToStream: true })

  /** Queries and keys lie side by side and turn in one operator. */
  function turnedTogether(all: Value): { query: Value; key: Value; value: Value } {
    const [both, values] = split(all, [(heads + kvHeads) * keyDim, kvHeads * valueDim], { axis: -1 })
    const [queries, keys] = split(rotate(decoder, layer, both, heads + kvHeads), [heads * keyDim, kvHeads * keyDim], { axis: -1 })
    return { query: queries, key: keys, value: values }
  }

  function turnedApart(all: Value, norms: HeadNorms): { query: Value; key: Value; value: Value } {
    const [queries, keys, values] = split(all, [heads * keyDim, kvHeads * keyDim, kvHeads * valueDim], { axis: -1 })
    return {
      query: rotate(decoder, layer, headNormalized(decoder, queries, norms, { which: 'query', heads, keyDim }), heads),
      key: rotate(decoder, layer, headNormalized(decoder, keys, norms, { which: 'key', heads: kvHeads, keyDim }), kvHeads),
      value: values,
    }
  }
}

/** Turns the heads of x [1, steps, heads * keyDim] by the layer's rope; x itself where it has none. */
function rotate(decoder: Decoder, layer: number, x: Value, heads: number): Value {
  const rotary = decoder.rotary(layer)
  if (rotary === undefined) return x
  // the tables hold the step's own rows, so their index is the row: the operator counts from the offset 0
  const start = decoder.graph.constant('int64', [1], [0n])
  const { keyDim } = layerOf(decoder, layer)
  return rotaryEmbedding(x, start, rotary.cos, rotary.sin, {
    heads,
    interleaved: rotary.rope.isInterleaved,
    ...(rotary.rope.rotaryDim === keyDim ? {} : { rotaryDim: rotary.rope.rotaryDim }),
  })
}
