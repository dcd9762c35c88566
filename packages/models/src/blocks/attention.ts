/**
 * Attention over a cache that the graph only reads. Scores against the past and against the new rows are separate products, and the
 * graph returns the new keys and values instead of a grown cache: nothing is copied per step.
 *
 * A row is the same bits whatever else is in the step, by four rules (found by measurement, checked by the self-test at load):
 * 1. The past is cut at multiples of 256 positions, one block of the matrix product; the rows after the cut (the tail) are joined to the new ones.
 * 2. The softmax is ReduceMax, Sub, Exp, with numerator and denominator as matrix products, so that masked terms are exact zeros.
 * 3. A product with one column, or one row, takes another kernel unless alpha differs from 1: numerator and denominator carry a factor of 2.
 * 4. A step does not cross a cut (`maxSteps`).
 *
 * Several sequences are several sets of key/value heads, side by side in their rows (`slots`). Each has its own cut and tail; what the longest
 * of them has and another has not is hidden by the bias, and by rule 2 such terms change nothing in a row's sums.
 */
import {
  add,
  concat,
  divide,
  expand,
  exponential,
  fusedMatMul,
  maximum,
  multiply,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  subtract,
  transpose,
  type Value,
} from '@foretoken/graph'
import { type Decoder, layerOf } from '../decoder/decoder.ts'
import { softCapped } from './embeddings.ts'

const SUM_FACTOR = 2

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
  /** [heads] a logit for each head that takes part in the softmax and has no value (gpt-oss). */
  readonly sinks?: Value
}

/** The attention itself: [1, steps, heads * valueDim]. Declares the layer's cache inputs and its new-row outputs. */
export function cachedAttention(decoder: Decoder, layer: number, options: CachedAttentionOptions): Value {
  const { graph } = decoder
  const { heads, kvHeads, keyDim, valueDim } = layerOf(decoder, layer)
  const group = heads / kvHeads
  const inputs = decoder.attentionInputs(layer)

  const isDealt = inputs.strands > 1
  const one = isDealt ? [1] : [] // the new rows are one strand
  const key = decoder.withSlots(decoder.asCached(options.key), ['each', ...one, 'slots', kvHeads, keyDim])
  const value = decoder.withSlots(decoder.asCached(options.value), ['each', ...one, 'slots', kvHeads, valueDim])
  decoder.newRows.add(layer, key, value)

  // rows of one key/value head together: [slots, kvHeads, group * each, keyDim]
  const byHead = decoder.withSlots(options.query, ['each', ...one, 'slots', kvHeads, group, keyDim])
  const grouped = transpose(byHead, isDealt ? [1, 2, 3, 4, 0, 5] : [1, 2, 3, 0, 4])
  const rows = group === 1 ? 'each' : `${group}*each`
  const unscaled = reshape(grouped, [...one, 'slots', kvHeads, rows, keyDim])
  // a scale of 1 would be an alpha of 1 (rule 3): half the query, twice the product, both without rounding; the halves are a vector
  // because the runtime folds a factor that is one number back into alpha
  const isUnit = options.scale === 1
  const query = isUnit ? multiply(unscaled, graph.constant('float32', [keyDim], new Array<number>(keyDim).fill(0.5))) : unscaled
  const alpha = isUnit ? 2 : options.scale
  const freshKeys = concat([inputs.tailKeys, key], { axis: 0 }) // [tail + each, slots, kvHeads, keyDim]
  const freshValues = concat([inputs.tailValues, value], { axis: 0 })

  const score = (keys: Value, bias: Value): Value => {
    const raw = fusedMatMul(query, keys, { transposeB: true, transposeBatchB: true, alpha })
    return add(options.softCap === undefined ? raw : softCapped(raw, options.softCap), bias)
  }
  const pastScores = score(inputs.pastKeys, inputs.pastBias) // [slots, kvHeads, group * each, past], or [strands, slots, …, past / strands]
  const newScores = score(freshKeys, inputs.newBias) // [slots, kvHeads, group * each, tail + each]
  const sinks = options.sinks === undefined ? undefined : sinkColumn(options.sinks)

  const ofStrands = (sums: Value): Value => (isDealt ? reduceSum(sums, [0]) : sums)
  const maxima = [reduceMax(pastScores, isDealt ? [0, -1] : [-1]), reduceMax(newScores, [-1])]
  const largest = maximum(sinks === undefined ? maxima : [...maxima, sinks])
  const pastTerms = exponential(subtract(pastScores, largest))
  const newTerms = exponential(subtract(newScores, largest))
  const numerator = add(
    ofStrands(fusedMatMul(pastTerms, inputs.pastValues, { transposeBatchB: true, alpha: SUM_FACTOR })),
    fusedMatMul(newTerms, freshValues, { transposeBatchB: true, alpha: SUM_FACTOR }),
  )
  const cached = add(
    ofStrands(fusedMatMul(pastTerms, inputs.pastOnes, { alpha: SUM_FACTOR })),
    fusedMatMul(newTerms, inputs.newOnes, { alpha: SUM_FACTOR }),
  )
  const denominator = sinks === undefined ? cached : add(cached, multiply(exponential(subtract(sinks, largest)), scalar(graph, SUM_FACTOR)))
  if (decoder.outputs.scores) {
    const total = divide(denominator, scalar(graph, SUM_FACTOR))
    graph.output(`past_scores_${layer}`, divide(pastTerms, total))
    graph.output(`new_scores_${layer}`, divide(newTerms, total))
  }
  const attended = divide(numerator, denominator) // [slots, kvHeads, group * each, valueDim], with strands [1, …]
  const perRow = transpose(decoder.withSlots(attended, ['slots', kvHeads, group, 'each', valueDim]), [3, 0, 1, 2, 4])
  return reshape(perRow, [1, 'steps', heads * valueDim])

  /** [heads] -> [kvHeads, group * each, 1], in the order of the scores' rows. */
  function sinkColumn(logits: Value): Value {
    return reshape(expand(reshape(logits, [kvHeads, group, 1, 1]), [kvHeads, group, 'each', 1]), [kvHeads, rows, 1])
  }
}
