/**
 * Multi-head latent attention (DeepSeek-V2, 2024): keys and values of all heads are linear in one compressed row of `rank` numbers, and only that
 * row is cached, beside one rotated key for all heads. The matrices that would expand it are applied to the other side instead: the query is taken
 * into the compressed space before the scores, and the sum of compressed rows into the values' space after them. Heads are then rows of one product
 * against one key of `rank + rotary` numbers; the values are its first part, so that the cache holds nothing twice (`valueDim` 0).
 *
 * A cached token costs (rank + rotary) * 4 bytes a layer: 2.3 kB for DeepSeek-V3 instead of 128 heads * 320 * 4 = 164 kB. The price is width:
 * scores over 576 numbers instead of 192. The expanding matrices stay in float32 in every weight format.
 *
 * Rows are exact by the rules of `attention.ts`. Products with one row are kept off the kernel for vectors by a factor of 2, which is taken back where
 * the runtime does not see it: a multiplication before or after the product would be fused with it, and the factor with it.
 */
import {
  add,
  concat,
  type Dim,
  divide,
  exponential,
  fusedMatMul,
  maximum,
  multiply,
  reduceMax,
  reshape,
  rotaryEmbedding,
  scalar,
  slice,
  split,
  subtract,
  transpose,
  type Value,
} from '@foretoken/graph'
import type { LayerDescription } from '../architectures/architecture.ts'
import { type Decoder, layerOf } from '../decoder/decoder.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import type { Rope } from '../rope/rope.ts'
import { type Norm, normalized } from './norms.ts'

const FACTOR = 2

export interface LatentSizes {
  readonly heads: number
  /** Width of the compressed row. */
  readonly rank: number
  /** Width of a head's query and key that is not rotated, and that is. */
  readonly plainDim: number
  readonly rotaryDim: number
  readonly valueDim: number
}

/** What the cache and the masks see of such a layer: one key for all heads. */
export function latentLayer({ heads, rank, rotaryDim }: LatentSizes, rope: Rope): LayerDescription {
  return { heads, kvHeads: 1, keyDim: rank + rotaryDim, valueDim: 0, rope, isLatent: true }
}

export interface LatentAttentionOptions extends LatentSizes {
  readonly hidden: number
  /** Width of the compressed query and its norm; absent where queries are projected at once. */
  readonly query?: { readonly rank: number; readonly norm: Norm; readonly down: LinearPart }
  /** Rows of all heads: first what is not rotated, then what is. */
  readonly queryUp: LinearPart
  /** The compressed row, then the key to rotate. */
  readonly compression: LinearPart
  readonly norm: Norm
  readonly expansion: LatentExpansion
  readonly output: LinearPart
  /** Multiplies the scores. */
  readonly scale: number
}

/** What takes the compressed row to each head's keys and values. */
export interface LatentExpansion {
  /** [heads, plainDim, rank], or [heads, rank, plainDim] where `isKeyTransposed`. */
  readonly key: Value
  readonly isKeyTransposed: boolean
  /** [heads, valueDim, rank] */
  readonly value: Value
}

/** x [1, steps, hidden] -> [1, steps, hidden] */
export function latentAttention(decoder: Decoder, layer: number, x: Value, options: LatentAttentionOptions): Value {
  const { heads, rank, plainDim, rotaryDim, valueDim, hidden, expansion } = options
  const { weights } = decoder
  const [queryInput, compressed] = projected()
  const [row, turning] = split(compressed, [rank, rotaryDim], { axis: -1 })
  const key = concat([normalized(decoder, row, options.norm, rank), turned(turning, 1)], { axis: -1 }) // [1, steps, rank + rotary]

  const both = reshape(weights.linear(queryInput, [options.queryUp], { role: 'linear', inputs: options.query?.rank ?? hidden }), [
    1,
    'steps',
    heads,
    plainDim + rotaryDim,
  ])
  const [plain, queryTurning] = split(both, [plainDim, rotaryDim], { axis: -1 })
  const turnedQuery = turned(reshape(queryTurning, [1, 'steps', heads * rotaryDim]), heads)
  const absorbed = perHead(byHead(plain, plainDim), expansion.key, expansion.isKeyTransposed) // [heads, steps, rank], twice its size
  const twice = multiply(byHead(turnedQuery, rotaryDim), scalar(decoder.graph, FACTOR))
  const query = concat([absorbed, twice], { axis: -1 }) // [heads, steps, rank + rotary]

  const attended = compressedAttention(decoder, layer, { query, key, rank, scale: options.scale / FACTOR }) // half its size
  const values = transpose(perHead(attended, expansion.value, true), [1, 0, 2])
  return weights.linear(reshape(values, [1, 'steps', heads * valueDim]), [options.output], { role: 'linear', inputs: heads * valueDim })

  /** The input of the query's projection and the compressed row with the key to rotate: one product where both are compressed. */
  function projected(): readonly [Value, Value] {
    const { query: compressedQuery, compression } = options
    if (compressedQuery === undefined) return [x, weights.linear(x, [compression], { role: 'linear', inputs: hidden })]
    const parts = weights.linear(x, [compressedQuery.down, compression], { role: 'linear', inputs: hidden })
    const [forQuery, rest] = split(parts, [compressedQuery.rank, rank + rotaryDim], { axis: -1 })
    return [normalized(decoder, forQuery, compressedQuery.norm, compressedQuery.rank), rest]
  }

  /** Turns the heads of [1, steps, count * rotaryDim]. */
  function turned(rows: Value, count: number): Value {
    const rotary = decoder.rotary(layer)
    if (rotary === undefined) throw new RangeError(`layer ${layer} has no rope`)
    const start = decoder.graph.constant('int64', [1], [0n])
    return rotaryEmbedding(rows, start, rotary.cos, rotary.sin, { heads: count, interleaved: rotary.rope.isInterleaved })
  }

  /** [1, steps, heads * width] or [1, steps, heads, width] -> [heads, steps, width] */
  function byHead(rows: Value, width: number): Value {
    return transpose(reshape(rows, ['steps', heads, width]), [1, 0, 2])
  }

  /** Each head's rows by its own matrix, twice. */
  function perHead(rows: Value, matrices: Value, transposeB: boolean): Value {
    return fusedMatMul(rows, matrices, { transposeB, alpha: FACTOR })
  }
}

interface CompressedAttentionOptions {
  /** [heads, steps, rank + rotary] */
  readonly query: Value
  /** [1, steps, rank + rotary] */
  readonly key: Value
  readonly rank: number
  readonly scale: number
}

/** Half of the weighted sum of compressed rows, [heads, steps, rank]. Declares the layer's cache inputs and its new-row outputs. */
function compressedAttention(decoder: Decoder, layer: number, options: CompressedAttentionOptions): Value {
  const { graph } = decoder
  const { heads, keyDim } = layerOf(decoder, layer)
  const inputs = decoder.attentionInputs(layer)
  const key = decoder.withSlots(decoder.asCached(options.key), ['each', 'slots', 1, keyDim])
  decoder.newRows.add(layer, key, key) // values have no width: the keys hold them
  const rows = `${heads}*each`
  const bySlot = transpose(decoder.withSlots(options.query, [heads, 'each', 'slots', keyDim]), [2, 0, 1, 3])
  const query = reshape(bySlot, ['slots', 1, rows, keyDim])
  const freshKeys = concat([inputs.tailKeys, key], { axis: 0 }) // [tail + each, slots, 1, keyDim]

  const score = (keys: Value, bias: Value): Value => {
    const raw = fusedMatMul(query, keys, { transposeB: true, transposeBatchB: true, alpha: options.scale }) // [slots, 1, heads * each, columns]
    return add(reshape(raw, ['slots', heads, 'each', lastDim(raw)]), bias)
  }
  const pastScores = score(inputs.pastKeys, inputs.pastBias)
  const newScores = score(freshKeys, inputs.newBias)
  const largest = maximum([reduceMax(pastScores, [-1]), reduceMax(newScores, [-1])])
  const pastTerms = exponential(subtract(pastScores, largest)) // [slots, heads, each, past]
  const newTerms = exponential(subtract(newScores, largest)) // [slots, heads, each, tail + each]
  const weighted = (terms: Value, keys: Value): Value =>
    fusedMatMul(reshape(terms, ['slots', 1, rows, lastDim(terms)]), keys, { transposeBatchB: true, alpha: FACTOR })
  const numerator = add(weighted(pastTerms, inputs.pastKeys), weighted(newTerms, freshKeys)) // [slots, 1, heads * each, keyDim]
  const denominator = add(
    fusedMatMul(pastTerms, inputs.pastOnes, { alpha: 2 * FACTOR }),
    fusedMatMul(newTerms, inputs.newOnes, { alpha: 2 * FACTOR }),
  ) // [slots, heads, each, 1]
  if (decoder.outputs.scores) {
    const total = divide(denominator, scalar(graph, 2 * FACTOR))
    graph.output(`past_scores_${layer}`, divide(pastTerms, total))
    graph.output(`new_scores_${layer}`, divide(newTerms, total))
  }
  const compressed = slice(reshape(numerator, ['slots', heads, 'each', keyDim]), { axis: -1, end: options.rank })
  return reshape(transpose(divide(compressed, denominator), [1, 2, 0, 3]), [heads, 'steps', options.rank])
}

function lastDim(x: Value): Dim {
  return x.dims.at(-1) ?? -1
}
