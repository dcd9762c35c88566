/**
 * Attention over a cache that the graph only reads. Scores against the past and against the new rows are separate products, and the
 * graph returns the new keys and values instead of a grown cache: nothing is copied per step.
 *
 * A row is the same bits whatever else is in the step, by four rules (found by measurement, checked by the self-test at load):
 * 1. The past is cut at multiples of 256 positions, one block of the matrix product; the rows after the cut (the tail) are joined to the new ones.
 * 2. The softmax is ReduceMax, Sub, Exp, with numerator and denominator as matrix products, so that masked terms are exact zeros.
 * 3. A product with one column, or one row, takes another kernel unless alpha differs from 1: numerator and denominator carry a factor of 2.
 * 4. A step does not cross a cut (`maxSteps`).
 */
import {
  add,
  concat,
  divide,
  exponential,
  fusedMatMul,
  maximum,
  multiply,
  reduceMax,
  reshape,
  rmsNormalization,
  rotaryEmbedding,
  scalar,
  split,
  subtract,
  tanh,
  transpose,
  type Value,
} from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'

const SUM_FACTOR = 2

export interface SelfAttentionOptions {
  /** Prefix of `q_proj`, `k_proj`, `v_proj` and `o_proj`. */
  readonly prefix: string
  readonly hidden: number
  readonly hasInputBias: boolean
  readonly hasOutputBias: boolean
  /** Multiplies the scores; 1 / sqrt(keyDim) when absent. */
  readonly scale?: number
  /** Root mean square norms of each head's query and key, by the names of their weights [keyDim]. */
  readonly headNorms?: { readonly query: string; readonly key: string; readonly epsilon: number }
}

/** x [1, steps, hidden] -> [1, steps, hidden]: projections, rotary embedding, attention, output projection. */
export function selfAttention(decoder: Decoder, layer: number, x: Value, options: SelfAttentionOptions): Value {
  const shape = layerShape(decoder, layer)
  const { heads, kvHeads, keyDim, valueDim } = shape
  const part = (name: string, outputs: number) => ({
    name: `${options.prefix}.${name}.weight`,
    outputs,
    ...(options.hasInputBias ? { bias: `${options.prefix}.${name}.bias` } : {}),
  })
  const projected = decoder.weights.linear(
    x,
    [part('q_proj', heads * keyDim), part('k_proj', kvHeads * keyDim), part('v_proj', kvHeads * valueDim)],
    { role: 'linear', inputs: options.hidden },
  )
  let query: Value
  let key: Value
  let value: Value
  if (options.headNorms === undefined) {
    // queries and keys lie side by side and turn together
    const [both, last] = split(projected, [(heads + kvHeads) * keyDim, kvHeads * valueDim], { axis: -1 })
    const [first, second] = split(rotate(decoder, layer, both, heads + kvHeads), [heads * keyDim, kvHeads * keyDim], { axis: -1 })
    query = first
    key = second
    value = last
  } else {
    const [first, second, last] = split(projected, [heads * keyDim, kvHeads * keyDim, kvHeads * valueDim], { axis: -1 })
    const { epsilon } = options.headNorms
    query = rotate(decoder, layer, headNorm(decoder, first, options.headNorms.query, heads, keyDim, epsilon), heads)
    key = rotate(decoder, layer, headNorm(decoder, second, options.headNorms.key, kvHeads, keyDim, epsilon), kvHeads)
    value = last
  }
  const attended = cachedAttention(decoder, layer, { query, key, value, scale: options.scale ?? 1 / Math.sqrt(keyDim) })
  return decoder.weights.linear(attended, [{ name: `${options.prefix}.o_proj.weight`, outputs: options.hidden }], {
    role: 'linear',
    inputs: heads * valueDim,
    ...(options.hasOutputBias ? { bias: `${options.prefix}.o_proj.bias` } : {}),
  })
}

/** Turns the heads of x [1, steps, heads * keyDim] by the layer's rope; x itself where it has none. */
export function rotate(decoder: Decoder, layer: number, x: Value, heads: number): Value {
  const rotary = decoder.rotary(layer)
  if (rotary === undefined) return x
  // the tables hold the step's own rows, so their index is the row: the operator counts from the offset 0
  const start = decoder.graph.constant('int64', [1], [0n])
  const { keyDim } = layerShape(decoder, layer)
  return rotaryEmbedding(x, start, rotary.cos, rotary.sin, {
    heads,
    interleaved: rotary.rope.isInterleaved,
    ...(rotary.rope.rotaryDim === keyDim ? {} : { rotaryDim: rotary.rope.rotaryDim }),
  })
}

/** Normalises each head of x [1, steps, heads * headDim] on its own. */
export function headNorm(decoder: Decoder, x: Value, weight: string, heads: number, headDim: number, epsilon: number): Value {
  const perHead = reshape(x, [1, 'steps', heads, headDim])
  const normalized = rmsNormalization(perHead, decoder.weights.vector(weight, [headDim]), { epsilon })
  return reshape(normalized, [1, 'steps', heads * headDim])
}

export interface CachedAttentionOptions {
  /** [1, steps, heads * keyDim], rotated. */
  readonly query: Value
  /** [1, steps, kvHeads * keyDim], rotated. */
  readonly key: Value
  /** [1, steps, kvHeads * valueDim]. */
  readonly value: Value
  readonly scale: number
  /** Scores are squashed to ±softCap by `softCap * tanh(score / softCap)` (Gemma 2). */
  readonly softCap?: number
}

/** The attention itself: [1, steps, heads * valueDim]. Declares the layer's cache inputs and its new-row outputs. */
export function cachedAttention(decoder: Decoder, layer: number, options: CachedAttentionOptions): Value {
  const { graph } = decoder
  const { heads, kvHeads, keyDim, valueDim } = layerShape(decoder, layer)
  const group = heads / kvHeads
  const inputs = decoder.attentionInputs(layer)

  const key = reshape(options.key, ['steps', kvHeads, keyDim])
  const value = reshape(options.value, ['steps', kvHeads, valueDim])
  graph.output(`new_keys_${layer}`, key)
  graph.output(`new_values_${layer}`, value)

  // rows of one key/value head together: [kvHeads, group * steps, keyDim]
  const grouped = transpose(reshape(options.query, ['steps', kvHeads, group, keyDim]), [1, 2, 0, 3])
  const rows = group === 1 ? 'steps' : `${group}*steps`
  const query = reshape(grouped, [kvHeads, rows, keyDim])
  const freshKeys = concat([inputs.tailKeys, key], { axis: 0 }) // [tail + steps, kvHeads, keyDim]
  const freshValues = concat([inputs.tailValues, value], { axis: 0 })

  const score = (keys: Value, bias: Value): Value => {
    const raw = fusedMatMul(query, keys, { transposeB: true, transposeBatchB: true, alpha: options.scale })
    return add(options.softCap === undefined ? raw : softCapped(raw, options.softCap), bias)
  }
  const pastScores = score(inputs.pastKeys, inputs.pastBias) // [kvHeads, group * steps, past]
  const newScores = score(freshKeys, inputs.newBias) // [kvHeads, group * steps, tail + steps]

  const largest = maximum([reduceMax(pastScores, [-1]), reduceMax(newScores, [-1])])
  const pastTerms = exponential(subtract(pastScores, largest))
  const newTerms = exponential(subtract(newScores, largest))
  const numerator = add(
    fusedMatMul(pastTerms, inputs.pastValues, { transposeBatchB: true, alpha: SUM_FACTOR }),
    fusedMatMul(newTerms, freshValues, { transposeBatchB: true, alpha: SUM_FACTOR }),
  )
  const denominator = add(
    fusedMatMul(pastTerms, inputs.pastOnes, { alpha: SUM_FACTOR }),
    fusedMatMul(newTerms, inputs.newOnes, { alpha: SUM_FACTOR }),
  )
  if (decoder.outputs.scores) {
    const total = divide(denominator, scalar(graph, SUM_FACTOR))
    graph.output(`past_scores_${layer}`, divide(pastTerms, total))
    graph.output(`new_scores_${layer}`, divide(newTerms, total))
  }
  const attended = divide(numerator, denominator) // [kvHeads, group * steps, valueDim]
  const perRow = transpose(reshape(attended, [kvHeads, group, 'steps', valueDim]), [2, 0, 1, 3])
  return reshape(perRow, [1, 'steps', heads * valueDim])
}

function softCapped(scores: Value, softCap: number): Value {
  return multiply(tanh(divide(scores, scalar(scores.graph, softCap))), scalar(scores.graph, softCap))
}

function layerShape(decoder: Decoder, layer: number) {
  const shape = decoder.layers[layer]
  if (shape === undefined) throw new RangeError(`the decoder has no layer ${layer}`)
  return shape
}
