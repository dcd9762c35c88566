/**
 * Attention as one operator of ONNX Runtime. On the CPU these copy the whole cache in every step; they are for devices that
 * keep the cache, and for encoders.
 */
import { addDims, type Dim, multiplyDims } from '../dimension.ts'
import { FLOATS } from '../element-type.ts'
import { float, int } from '../node.ts'
import {
  beginCall,
  dimAt,
  emit,
  emitAll,
  type NodeOptions,
  requireDims,
  required,
  requireRank,
  requireSameType,
  requireType,
  shapeError,
} from '../operator.ts'
import type { Value } from '../value.ts'

export interface MultiHeadAttentionOptions extends NodeOptions {
  readonly heads: number
  /** Factor of the scores; 1/√headDim when absent. */
  readonly scale?: number
  /** Whether a row sees only rows up to its own. */
  readonly isCausal?: boolean
  /** Added to the scores: [batch or 1, heads or 1, steps, context]. */
  readonly bias?: Value
}

/**
 * @param query  [batch, steps, heads * headDim]
 * @param key    [batch, context, heads * headDim]
 * @param value  [batch, context, heads * valueDim]
 * @returns      [batch, steps, heads * valueDim]
 */
export function multiHeadAttention(
  query: Value,
  key: Value,
  value: Value,
  { heads, scale, isCausal = false, bias, ...options }: MultiHeadAttentionOptions,
): Value {
  const inputs = { query, key, value, projectionBias: undefined, paddingMask: undefined, bias }
  const call = beginCall('MultiHeadAttention', inputs, options, 'com.microsoft')
  requireType(call, 'query', FLOATS)
  requireSameType(call)
  requireRank(call, 'query', 3)
  requireDims(call, 'key', [dimAt(query, 0), undefined, dimAt(query, 2)])
  requireDims(call, 'value', [dimAt(query, 0), dimAt(key, 1), undefined])
  requireRank(call, 'bias', 4)
  if (bias !== undefined) requireDims(call, 'bias', [undefined, undefined, dimAt(query, 1), dimAt(key, 1)])
  for (const width of [dimAt(query, 2), dimAt(value, 2)])
    if (typeof width === 'number' && width % heads !== 0) throw shapeError(call, `${heads} heads to divide the last dimensions`)
  const attributes = {
    num_heads: int(heads),
    scale: scale === undefined ? undefined : float(scale),
    unidirectional: isCausal ? int(1) : undefined,
  }
  return emit(call, attributes, query.type, [dimAt(query, 0), dimAt(query, 1), dimAt(value, 2)])
}

export interface GroupQueryAttentionInputs {
  /** [batch, steps, heads * headDim] */
  readonly query: Value
  /** [batch, steps, kvHeads * headDim] */
  readonly key: Value
  readonly value: Value
  /** [batch, kvHeads, past, headDim] */
  readonly pastKey?: Value
  readonly pastValue?: Value
  /** int32 [batch]: rows in the cache after this step, less one. */
  readonly lastPositions: Value
  /** int32 without dimensions: the greatest number of rows after this step. */
  readonly totalLength: Value
  /** [positions, headDim / 2]: turns queries and keys inside of the operator. */
  readonly cosines?: Value
  readonly sines?: Value
  /** int64 [batch, steps] */
  readonly positions?: Value
  /** [batch or 1, heads or 1, steps, total] */
  readonly bias?: Value
}

export interface GroupQueryAttentionOptions extends NodeOptions {
  readonly heads: number
  readonly kvHeads: number
  readonly scale?: number
  readonly interleaved?: boolean
  /** Rows that a query sees before itself; unlimited when absent. */
  readonly window?: number
  readonly softcap?: number
  /** Rows of the cache that is returned; `past + steps` when absent. */
  readonly present?: Dim
}

/**
 * Causal attention with fewer key and value heads, appending to a cache.
 *
 * @returns  output [batch, steps, heads * headDim]; keys and values [batch, kvHeads, present, headDim]
 */
export function groupQueryAttention(
  inputs: GroupQueryAttentionInputs,
  { heads, kvHeads, scale, interleaved = false, window, softcap, present, ...options }: GroupQueryAttentionOptions,
): [output: Value, presentKey: Value, presentValue: Value] {
  const { query, key, value, pastKey, pastValue, lastPositions, totalLength, cosines, sines, positions, bias } = inputs
  const ordered = { query, key, value, pastKey, pastValue, lastPositions, totalLength, cosines, sines, positions, bias }
  const call = beginCall('GroupQueryAttention', ordered, options, 'com.microsoft')
  requireType(call, 'query', FLOATS)
  requireSameType(call, ['query', 'key', 'value', 'pastKey', 'pastValue', 'cosines', 'sines', 'bias'])
  for (const label of ['lastPositions', 'totalLength']) requireType(call, label, ['int32'])
  requireType(call, 'positions', ['int64'])
  requireRank(call, 'query', 3)
  const [batch, steps, width] = [dimAt(query, 0), dimAt(query, 1), dimAt(query, 2)]
  if (typeof width !== 'number' || width % heads !== 0 || heads % kvHeads !== 0)
    throw shapeError(call, `${heads} heads in ${kvHeads} groups that divide the width of query`)
  const headDim = width / heads
  if (cosines !== undefined && headDim % 16 !== 0)
    throw shapeError(call, 'heads whose width is a multiple of 16 where the operator turns them')
  for (const label of ['key', 'value']) requireDims(call, label, [batch, steps, multiplyDims(kvHeads, headDim)])
  for (const label of ['pastKey', 'pastValue']) requireDims(call, label, [batch, kvHeads, undefined, headDim])
  requireDims(call, 'lastPositions', [batch])
  const rows = present ?? addDims(pastKey === undefined ? 0 : dimAt(pastKey, 2), steps)
  const attributes = {
    num_heads: int(heads),
    kv_num_heads: int(kvHeads),
    do_rotary: int(cosines !== undefined),
    rotary_interleaved: int(interleaved),
    scale: scale === undefined ? undefined : float(scale),
    local_window_size: window === undefined ? undefined : int(window),
    softcap: softcap === undefined ? undefined : float(softcap),
  }
  const cache = { type: query.type, dims: [batch, kvHeads, rows, headDim] }
  const [output, keys, values] = emitAll(call, attributes, [{ type: query.type, dims: query.dims }, cache, cache])
  return [required(call, output), required(call, keys), required(call, values)]
}
