/**
 * Operators that fold axes into one number each. Axes may be negative; without axes everything is folded. `keepDims`
 * (default true) leaves folded axes as 1.
 */
import type { DType } from '@foretoken/tensor'
import type { Dim } from '../dimension.ts'
import { FLOATS, NUMBERS } from '../element-type.ts'
import { int } from '../node.ts'
import { argumentError, axesOf, axisOf, beginCall, dimAt, emit, emitPair, type NodeOptions, requireType, unknownDim } from '../operator.ts'
import type { Value } from '../value.ts'

export interface ReductionOptions extends NodeOptions {
  readonly keepDims?: boolean
}

export type Reduction = (x: Value, axes?: readonly number[], options?: ReductionOptions) => Value

const SUMMABLE: readonly DType[] = [...FLOATS, 'int32', 'int64', 'uint32', 'uint64']

/** The sum over axes. */
export const reduceSum: Reduction = reduction('ReduceSum', SUMMABLE)
/** The arithmetic mean over axes. */
export const reduceMean: Reduction = reduction('ReduceMean', SUMMABLE)
/** The product over axes. */
export const reduceProduct: Reduction = reduction('ReduceProd', SUMMABLE)
/** The Euclidean length over axes. */
export const reduceL2: Reduction = reduction('ReduceL2', SUMMABLE)
/** The greatest element over axes. */
export const reduceMax: Reduction = reduction('ReduceMax', [...SUMMABLE, 'int8', 'uint8', 'bool'])
/** The least element over axes. */
export const reduceMin: Reduction = reduction('ReduceMin', [...SUMMABLE, 'int8', 'uint8', 'bool'])

/** The position (int64) of the greatest element along an axis, the first of equals. */
export function argMax(x: Value, { axis = -1, keepDims = true, ...options }: ReductionOptions & { readonly axis?: number } = {}): Value {
  const call = beginCall('ArgMax', { x }, options)
  requireType(call, 'x', NUMBERS)
  const index = axisOf(call, axis, x.dims.length)
  return emit(call, { axis: int(index), keepdims: int(keepDims) }, 'int64', foldAxes(x.dims, [index], keepDims))
}

/**
 * The `k` greatest elements along an axis, and their positions (int64); best first, the lower position first among equals.
 *
 * @returns values and positions, each with `k` along the axis
 */
export function topK(
  x: Value,
  k: number | Value,
  {
    axis = -1,
    largest = true,
    sorted = true,
    ...options
  }: NodeOptions & { readonly axis?: number; readonly largest?: boolean; readonly sorted?: boolean } = {},
): [values: Value, positions: Value] {
  const call = beginCall('TopK', { x, k: typeof k === 'number' ? x.graph.constant('int64', [1], [k]) : k }, options)
  requireType(call, 'x', NUMBERS)
  requireType(call, 'k', ['int64'])
  const index = axisOf(call, axis, x.dims.length)
  const size = dimAt(x, index)
  if (typeof k === 'number' && (k < 0 || (typeof size === 'number' && k > size))) throw argumentError(call, `k = ${k}`, `0 to ${size}`)
  const count = typeof k === 'number' ? k : (k.known?.[0] ?? unknownDim(call, 'k'))
  const dims = x.dims.map((dim, at) => (at === index ? count : dim))
  return emitPair(call, { axis: int(index), largest: int(largest), sorted: int(sorted) }, { type: x.type, dims }, { type: 'int64', dims })
}

/** Running sums along an axis. */
export function cumSum(
  x: Value,
  axis: number,
  { exclusive = false, reverse = false, ...options }: NodeOptions & { readonly exclusive?: boolean; readonly reverse?: boolean } = {},
): Value {
  const call = beginCall('CumSum', { x, axis: x.graph.constant('int64', [], [axis]) }, options)
  requireType(call, 'x', SUMMABLE)
  axisOf(call, axis, x.dims.length)
  return emit(call, { exclusive: int(exclusive), reverse: int(reverse) }, x.type, x.dims)
}

/** Exponentials divided by their sum along an axis. */
export function softmax(x: Value, { axis = -1, ...options }: NodeOptions & { readonly axis?: number } = {}): Value {
  const call = beginCall('Softmax', { x }, options)
  requireType(call, 'x', FLOATS)
  return emit(call, { axis: int(axisOf(call, axis, x.dims.length)) }, x.type, x.dims)
}

/** The logarithm of the softmax along an axis. */
export function logSoftmax(x: Value, { axis = -1, ...options }: NodeOptions & { readonly axis?: number } = {}): Value {
  const call = beginCall('LogSoftmax', { x }, options)
  requireType(call, 'x', FLOATS)
  return emit(call, { axis: int(axisOf(call, axis, x.dims.length)) }, x.type, x.dims)
}

/** Dimensions after folding axes. */
function foldAxes(dims: readonly Dim[], axes: readonly number[], keepDims: boolean): readonly Dim[] {
  const folded = dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
  return keepDims ? folded : folded.filter((_, axis) => !axes.includes(axis))
}

function reduction(operator: string, types: readonly DType[]): Reduction {
  return (x, axes, { keepDims = true, ...options } = {}) => {
    const given = axes === undefined ? undefined : x.graph.constant('int64', [axes.length], axes)
    const call = beginCall(operator, { x, axes: given }, options)
    requireType(call, 'x', types)
    const indices = axes === undefined ? x.dims.map((_, axis) => axis) : axesOf(call, axes, x.dims.length)
    const isNothing = axes?.length === 0
    return emit(
      call,
      { keepdims: int(keepDims), noop_with_empty_axes: isNothing ? int(1) : undefined },
      x.type,
      foldAxes(x.dims, indices, keepDims),
    )
  }
}
