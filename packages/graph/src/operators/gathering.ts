/**
 * Reading and writing at positions that the graph computes. Positions are int64 or int32; negative ones count from the end.
 */
import type { DType } from '@foretoken/tensor'
import { type Dim, sameDim } from '../dimension.ts'
import { INDICES, NUMBERS, WHOLE_BYTES } from '../element-type.ts'
import { int, text } from '../node.ts'
import {
  axisOf,
  beginCall,
  dimAt,
  emit,
  type NodeOptions,
  requireDims,
  requireRank,
  requireSameType,
  requireType,
  shapeError,
  unknownDim,
} from '../operator.ts'
import type { Value } from '../value.ts'

/** Slices of x at positions along an axis: `x[…, indices, …]`; the axis is replaced by the dimensions of `indices`. */
export function gather(x: Value, indices: Value, { axis = 0, ...options }: NodeOptions & { readonly axis?: number } = {}): Value {
  const call = beginCall('Gather', { x, indices }, options)
  requireType(call, 'x', WHOLE_BYTES)
  requireType(call, 'indices', INDICES)
  const index = axisOf(call, axis, x.dims.length)
  const known = x.known !== undefined && indices.known !== undefined && indices.dims.length <= 1 ? pick(x.known, indices.known) : undefined
  return emit(call, { axis: int(index) }, x.type, [...x.dims.slice(0, index), ...indices.dims, ...x.dims.slice(index + 1)], known)
}

/** One element of x for each position: `result[i][j] = x[indices[i][j]][j]` for axis 0. The result has the dimensions of `indices`. */
export function gatherElements(x: Value, indices: Value, { axis = 0, ...options }: NodeOptions & { readonly axis?: number } = {}): Value {
  const call = beginCall('GatherElements', { x, indices }, options)
  requireType(call, 'x', WHOLE_BYTES)
  requireType(call, 'indices', INDICES)
  requireRank(call, 'indices', x.dims.length)
  return emit(call, { axis: int(axisOf(call, axis, x.dims.length)) }, x.type, indices.dims)
}

/** Slices of x at tuples of positions: the last axis of `indices` (int64) holds a tuple. @param batchDims  leading axes that both share */
export function gatherNd(
  x: Value,
  indices: Value,
  { batchDims = 0, ...options }: NodeOptions & { readonly batchDims?: number } = {},
): Value {
  const call = beginCall('GatherND', { x, indices }, options)
  requireType(call, 'x', WHOLE_BYTES)
  requireType(call, 'indices', ['int64'])
  const tuple = indices.dims.at(-1)
  if (typeof tuple !== 'number' || batchDims + tuple > x.dims.length || batchDims >= indices.dims.length) {
    throw shapeError(call, `the last axis of indices to be at most ${x.dims.length - batchDims}`)
  }
  for (let axis = 0; axis < batchDims; axis++)
    if (!sameDim(dimAt(x, axis), dimAt(indices, axis))) throw shapeError(call, `${batchDims} equal leading dimensions`)
  return emit(call, { batch_dims: int(batchDims) }, x.type, [...indices.dims.slice(0, -1), ...x.dims.slice(batchDims + tuple)])
}

/** How an update meets what is there. */
export type ScatterReduction = 'none' | 'add' | 'mul' | 'min' | 'max'

/** x with elements replaced: `result[indices[i][j]][j] = updates[i][j]` for axis 0. */
export function scatterElements(
  x: Value,
  indices: Value,
  updates: Value,
  { axis = 0, reduction = 'none', ...options }: NodeOptions & { readonly axis?: number; readonly reduction?: ScatterReduction } = {},
): Value {
  const call = beginCall('ScatterElements', { x, indices, updates }, options)
  requireType(call, 'x', WHOLE_BYTES)
  requireType(call, 'indices', INDICES)
  requireSameType(call, ['x', 'updates'])
  requireRank(call, 'indices', x.dims.length)
  requireDims(call, 'updates', indices.dims)
  return emit(call, { axis: int(axisOf(call, axis, x.dims.length)), reduction: text(reduction) }, x.type, x.dims)
}

/** x with slices replaced at tuples of positions (int64, in the last axis of `indices`). */
export function scatterNd(
  x: Value,
  indices: Value,
  updates: Value,
  { reduction = 'none', ...options }: NodeOptions & { readonly reduction?: ScatterReduction } = {},
): Value {
  const call = beginCall('ScatterND', { x, indices, updates }, options)
  requireType(call, 'x', WHOLE_BYTES)
  requireType(call, 'indices', ['int64'])
  requireSameType(call, ['x', 'updates'])
  const tuple = indices.dims.at(-1)
  if (typeof tuple !== 'number' || tuple > x.dims.length) throw shapeError(call, `the last axis of indices to be at most ${x.dims.length}`)
  requireDims(call, 'updates', [...indices.dims.slice(0, -1), ...x.dims.slice(tuple)])
  return emit(call, { reduction: text(reduction) }, x.type, x.dims)
}

/**
 * Vectors that are `on` at one position and `off` elsewhere.
 *
 * @param values  [2]: off and on, which decide the element type
 */
export function oneHot(
  indices: Value,
  depth: number,
  values: Value,
  { axis = -1, ...options }: NodeOptions & { readonly axis?: number } = {},
): Value {
  const call = beginCall('OneHot', { indices, depth: indices.graph.constant('int64', [1], [depth]), values }, options)
  requireType(call, 'indices', NUMBERS)
  requireDims(call, 'values', [2])
  const rank = indices.dims.length + 1
  const index = axisOf(call, axis, rank)
  return emit(call, { axis: int(index) }, values.type, [...indices.dims.slice(0, index), depth, ...indices.dims.slice(index)])
}

/** The positions of all elements that are not 0: int64 [rank, count], row-major. */
export function nonZero(x: Value, options?: NodeOptions): Value {
  const call = beginCall('NonZero', { x }, options)
  const types: readonly DType[] = [...NUMBERS, 'bool']
  requireType(call, 'x', types)
  return emit(call, {}, 'int64', [x.dims.length, unknownDim(call, 'count')])
}

function pick(known: readonly Dim[], indices: readonly Dim[]): readonly Dim[] | undefined {
  const picked: Dim[] = []
  for (const index of indices) {
    const value = typeof index === 'number' ? known.at(index) : undefined
    if (value === undefined) return undefined
    picked.push(value)
  }
  return picked
}
