/**
 * A recurrence whose state is a matrix for each head that decays as a whole, h = exp(g) h + k vᵀ, y = qᵀ h: gated linear attention, and
 * Mamba-2 in other words (Dao and Gu 2024). One operator of ONNX Runtime (LinearAttention) runs over all rows of a lane in their order, and
 * lanes are its batch; a row has the same bits however rows are cut into calls. The decay is one number per head: where each element
 * has its own, as in Mamba, it would spend its time in exponentials (8 times as long as `selectiveScan`).
 */
import { branch, expand, gather, reshape, scan, softplus, unsqueeze, type Value } from '@foretoken/graph'
import type { Decoder, RecurrentInputs } from '../decoder/decoder.ts'

export interface LinearAttentionSizes {
  readonly heads: number
  /** Heads of keys and queries, each of which serves heads / groups heads. */
  readonly groups: number
  readonly keyDim: number
  readonly valueDim: number
}

/** Of tail and new rows. */
export interface LinearAttentionRows {
  /** [tail + steps, groups * keyDim] */
  readonly query: Value
  readonly key: Value
  /** [tail + steps, heads * valueDim] */
  readonly value: Value
  /** [tail + steps, heads] logarithm of the factor on the state. */
  readonly decay: Value
}

/**
 * Declares the layer's states [heads, keyDim, valueDim] as outputs.
 *
 * @returns  [steps, heads * valueDim] of the new rows
 */
export function gatedLinearAttention(
  decoder: Decoder,
  layer: number,
  inputs: RecurrentInputs,
  rows: LinearAttentionRows,
  sizes: LinearAttentionSizes,
): Value {
  const { graph } = decoder
  const { heads, keyDim, valueDim } = sizes
  const state = unsqueeze(inputs.state, [0])
  const overLanes = (from: Value) => attend(rowsAt(rows, inputs.laneRows), from, sizes)

  // without a tail and branches the state is read in place: a copy of it takes longer than the row
  const [read, after, before] = branch(
    inputs.isPlain,
    () => [...overLanes(state), state],
    () => {
      const [, start] = attend(rowsAt(rows, unsqueeze(inputs.tailRows, [0])), state, sizes)
      return [...overLanes(expand(start, ['lanes', heads, keyDim, valueDim])), start]
    },
  )
  if (read === undefined || after === undefined || before === undefined) throw new RangeError('a branch gives what its callback returned')
  graph.output(`state_before_${layer}`, before)
  graph.output(`state_after_${layer}`, after)
  return gather(reshape(read, ['lanes*depth', heads * valueDim]), inputs.places)
}

/**
 * Softplus of x [rows, heads], one row at a time: over several rows at once the runtime cuts the work where a few elements at the seams
 * are computed by another routine, and get other bits.
 */
export function softplusByRow(x: Value): Value {
  const { collected } = scan([], [x], (_, [row]) => ({ carried: [], collected: row === undefined ? [] : [softplus(row)] }))
  const [result] = collected
  if (result === undefined) throw new RangeError('a scan gives what it collected')
  return result
}

/** @param at  [lanes, depth] */
function rowsAt(rows: LinearAttentionRows, at: Value): LinearAttentionRows {
  return { query: gather(rows.query, at), key: gather(rows.key, at), value: gather(rows.value, at), decay: gather(rows.decay, at) }
}

/** Rows [lanes, depth, …] from a state [lanes, heads, keyDim, valueDim]: what they read, and the state after them. */
function attend(
  { query, key, value, decay }: LinearAttentionRows,
  state: Value,
  { heads, groups }: LinearAttentionSizes,
): readonly [Value, Value] {
  const { graph } = state
  const [read, after] = graph.add({
    operator: 'LinearAttention',
    domain: 'com.microsoft',
    name: graph.nodeName(undefined, 'LinearAttention'),
    inputs: [query, key, value, state, decay],
    outputs: [
      { type: 'float32', dims: value.dims },
      { type: 'float32', dims: state.dims },
    ],
    attributes: {
      q_num_heads: { kind: 'int', value: groups },
      kv_num_heads: { kind: 'int', value: heads },
      scale: { kind: 'float', value: 1 },
      update_rule: { kind: 'string', value: 'gated' },
    },
  })
  if (read === undefined || after === undefined) throw new RangeError('a node gives the outputs that it was asked for')
  return [read, after]
}
