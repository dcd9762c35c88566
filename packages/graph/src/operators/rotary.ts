/**
 * Rotary position embedding (Su et al. 2021, "RoFormer") as one operator of ONNX Runtime, with tables of cosines and sines.
 * A factor of the result goes into the tables: the operator's own `scale` has no effect on the CPU in ONNX Runtime 1.30.
 */
import { multiplyDims, sameDims } from '../dimension.ts'
import { FLOATS } from '../element-type.ts'
import { int } from '../node.ts'
import {
  argumentError,
  beginCall,
  dimAt,
  emit,
  type NodeOptions,
  requireDims,
  requireRank,
  requireSameType,
  requireType,
  shapeError,
} from '../operator.ts'
import type { Value } from '../value.ts'

export interface RotaryOptions extends NodeOptions {
  /** Number of heads in x; needed when x is [batch, steps, heads * headDim] and only part of each head turns. 0 leaves it to the tables' width. */
  readonly heads?: number
  /** Pairs are neighbours (0,1), (2,3), … instead of the two halves. False when absent. */
  readonly interleaved?: boolean
  /** How many of each head's elements turn; 0, the default, is all of them. */
  readonly rotaryDim?: number
}

/**
 * Turns each head by the angle of its position.
 *
 * @param x          [batch, steps, heads * headDim] or [batch, heads, steps, headDim]
 * @param positions  int64 [batch, steps], or [1]: the position of the first step
 * @param cosines    [positions, rotaryDim / 2]
 * @param sines      the same
 */
export function rotaryEmbedding(
  x: Value,
  positions: Value,
  cosines: Value,
  sines: Value,
  { heads = 0, interleaved = false, rotaryDim = 0, ...options }: RotaryOptions = {},
): Value {
  const call = beginCall('RotaryEmbedding', { x, positions, cosines, sines }, options, 'com.microsoft')
  requireType(call, 'x', FLOATS)
  requireType(call, 'positions', ['int64'])
  requireSameType(call, ['x', 'cosines', 'sines'])
  requireRank(call, 'x', 3, 4)
  requireRank(call, 'cosines', 2)
  requireDims(call, 'sines', cosines.dims)
  const steps = x.dims.length === 3 ? dimAt(x, 1) : dimAt(x, 2)
  if (!sameDims(positions.dims, [1])) requireDims(call, 'positions', [dimAt(x, 0), steps])
  if (rotaryDim > 0 && heads === 0) throw argumentError(call, `rotaryDim ${rotaryDim} without heads`, 'the number of heads')
  const half = dimAt(cosines, 1)
  const last = dimAt(x, -1)
  if (typeof half === 'number' && typeof last === 'number') {
    const turned = multiplyDims(half, 2)
    if (rotaryDim > 0 ? turned !== rotaryDim : last % Number(turned) !== 0)
      throw shapeError(call, `tables of width ${rotaryDim > 0 ? rotaryDim / 2 : 'headDim / 2'}`)
    if (heads > 0 && x.dims.length === 3 && last % heads !== 0) throw shapeError(call, `${heads} heads to divide the last dimension`)
  }
  const attributes = {
    interleaved: int(interleaved),
    num_heads: heads > 0 ? int(heads) : undefined,
    rotary_embedding_dim: rotaryDim > 0 ? int(rotaryDim) : undefined,
  }
  return emit(call, attributes, x.type, x.dims)
}
