/**
 * Operators that give the same elements other dimensions, and shapes as values. Dimensions are followed symbolically: what a
 * shape computed in the graph contains is known while building as far as it comes from dimensions (`Value.known`).
 */

import type { DType } from '@foretoken/tensor'
import { broadcastDims } from '../broadcasting.ts'
import {
  canonicalDim,
  type Dim,
  divideDims,
  isDim,
  leastValue,
  multiplyDims,
  provablyDifferent,
  sameDim,
  showDims,
  termsOf,
} from '../dimension.ts'
import { ANY, NUMBERS, WHOLE_BYTES } from '../element-type.ts'
import { GraphError } from '../errors.ts'
import type { Graph } from '../graph.ts'
import { type Attribute, int, ints } from '../node.ts'
import {
  argumentError,
  axesOf,
  beginCall,
  type Call,
  compositeCall,
  dimAt,
  emit,
  type NodeOptions,
  type Operand,
  operandValue,
  requireRank,
  requireSameType,
  requireType,
  shapeError,
  unknownDim,
} from '../operator.ts'
import type { Value } from '../value.ts'
import { add, multiply } from './elementwise.ts'
import { concat } from './joining.ts'

/**
 * The same elements in the same order with other dimensions. At most one symbolic dimension may be new: those that stand at
 * the same place in `x` are copied, the other is what remains. -1 asks for what remains without naming it.
 *
 * @throws {ShapeError} when the number of elements is provably another, or two dimensions cannot be told to the runtime
 */
export function reshape(x: Value, target: readonly Dim[], options?: NodeOptions): Value {
  const wanted = target.map((dim) => (dim === -1 ? -1 : isDim(dim) ? canonicalDim(dim) : undefined))
  const rest = wanted.indexOf(-1)
  const hasZero = wanted.includes(0)
  const codes: number[] = []
  let inferred: number | undefined
  wanted.forEach((dim, axis) => {
    const source = x.dims[axis]
    if (typeof dim === 'number') codes.push(dim)
    else if (dim !== undefined && source !== undefined && !hasZero && sameDim(source, dim)) codes.push(0)
    else {
      inferred = inferred === undefined && rest < 0 && !hasZero && dim !== undefined ? axis : Number.NaN
      codes.push(-1)
    }
  })
  const call = beginCall('Reshape', { x, shape: x.graph.constant('int64', [codes.length], codes) }, options)
  if (wanted.includes(undefined) || wanted.lastIndexOf(-1) !== rest)
    throw shapeError(call, `a target of dimensions with at most one -1, not ${showDims(target)}`)
  if (Number.isNaN(inferred)) {
    throw shapeError(
      call,
      `a target with at most one symbolic dimension that does not stand at the same place in x, not ${showDims(target)}`,
    )
  }
  const known = wanted.filter((dim) => dim !== undefined)
  const total = multiplyDims(...x.dims)
  const others = multiplyDims(...known.filter((_, axis) => axis !== rest))
  if (rest >= 0) {
    const quotient = divideDims(total, others)
    if (quotient === undefined && typeof total === 'number' && typeof others === 'number')
      throw shapeError(call, `${total} elements to fill ${showDims(target)}`)
    known[rest] = quotient ?? unknownDim(call, `${rest}`)
  } else if (provablyDifferent(total, others)) {
    throw shapeError(call, `as many elements as ${showDims(target)} has (${others}, not ${total})`)
  }
  return emit(call, hasZero ? { allowzero: int(1) } : {}, x.type, known, x.known !== undefined && known.length <= 1 ? x.known : undefined)
}

/** As `reshape`, with the dimensions given by an int64 vector that the graph computes. */
export function reshapeTo(x: Value, shape: Value, options?: NodeOptions): Value {
  const call = beginCall('Reshape', { x, shape }, options)
  requireType(call, 'shape', ['int64'])
  requireRank(call, 'shape', 1)
  const dims = sizesOf(call, shape)
  if (provablyDifferent(multiplyDims(...x.dims), multiplyDims(...dims))) throw shapeError(call, `as many elements as ${showDims(dims)} has`)
  return emit(call, { allowzero: int(1) }, x.type, dims)
}

/** Axes in another order: axis i of the result is axis `permutation[i]` of x. */
export function transpose(x: Value, permutation: readonly number[], options?: NodeOptions): Value {
  const call = beginCall('Transpose', { x }, options)
  const axes = axesOf(call, permutation, x.dims.length)
  if (axes.length !== x.dims.length) throw argumentError(call, `permutation ${permutation.join(', ')}`, `all ${x.dims.length} axes`)
  const dims = axes.map((axis) => dimAt(x, axis))
  return emit(call, { perm: ints(axes) }, x.type, dims)
}

/** Removes axes of size 1. A symbolic axis counts as the author's word that it is 1 when it runs. */
export function squeeze(x: Value, axes: readonly number[], options?: NodeOptions): Value {
  const call = beginCall('Squeeze', { x, axes: x.graph.constant('int64', [axes.length], axes) }, options)
  const removed = axesOf(call, axes, x.dims.length)
  for (const axis of removed) if (provablyDifferent(dimAt(x, axis), 1)) throw shapeError(call, `axis ${axis} to be 1`)
  return emit(
    call,
    {},
    x.type,
    x.dims.filter((_, axis) => !removed.includes(axis)),
    x.known,
  )
}

/** Inserts axes of size 1; `axes` are places in the result. */
export function unsqueeze(x: Value, axes: readonly number[], options?: NodeOptions): Value {
  const call = beginCall('Unsqueeze', { x, axes: x.graph.constant('int64', [axes.length], axes) }, options)
  const rank = x.dims.length + axes.length
  const inserted = axesOf(call, axes, rank)
  let source = 0
  const dims = Array.from({ length: rank }, (_, axis) => (inserted.includes(axis) ? 1 : dimAt(x, source++)))
  return emit(call, {}, x.type, dims, rank <= 1 ? x.known : undefined)
}

/** Repeats axes of size 1 so that x gets these dimensions (numbers, symbols of graph inputs, or an int64 vector). */
export function expand(x: Value, target: readonly Dim[] | Value, options?: NodeOptions): Value {
  const shape = isValue(target) ? target : shapeVector(x.graph, target)
  const call = beginCall('Expand', { x, shape }, options)
  requireType(call, 'shape', ['int64'])
  requireRank(call, 'shape', 1)
  const dims = sizesOf(call, shape)
  return emit(call, {}, x.type, broadcastDims(call, x.dims, dims))
}

/** Repeats x so many times along each axis. */
export function tile(x: Value, repeats: readonly number[], options?: NodeOptions): Value {
  const call = beginCall('Tile', { x, repeats: x.graph.constant('int64', [repeats.length], repeats) }, options)
  requireType(call, 'x', WHOLE_BYTES)
  if (repeats.length !== x.dims.length) throw argumentError(call, `${repeats.length} repeats`, `one for each of ${x.dims.length} axes`)
  return emit(
    call,
    {},
    x.type,
    x.dims.map((dim, axis) => multiplyDims(dim, repeats[axis] ?? 1)),
  )
}

/** The dimensions of x, from `start` up to `end`, as an int64 vector. */
export function shapeOf(
  x: Value,
  { start = 0, end, ...options }: NodeOptions & { readonly start?: number; readonly end?: number } = {},
): Value {
  const call = beginCall('Shape', { x }, options)
  requireType(call, 'x', ANY)
  const dims = x.dims.slice(start, end)
  return emit(call, { start: int(start), end: end === undefined ? undefined : int(end) }, 'int64', [dims.length], dims)
}

/**
 * Dimensions as an int64 vector that the running graph computes. Each symbol must be a dimension of a graph input, or of the
 * values given as `sources`. Symbols are looked up once per graph.
 */
export function shapeVector(graph: Graph, dims: readonly Dim[], sources: readonly Value[] = []): Value {
  if (dims.every((dim) => typeof dim === 'number')) return graph.constant('int64', [dims.length], dims)
  if (sources.length === 0)
    return graph.buildOutside(() =>
      concat(
        dims.map((dim) => dimensionVector(graph, dim, graph.inputs)),
        { axis: 0 },
      ),
    )
  return concat(
    dims.map((dim) => dimensionVector(graph, dim, [...sources, ...graph.inputs])),
    { axis: 0 },
  )
}

/** A tensor of one value. @param shape  its dimensions: numbers, symbols of graph inputs, or an int64 vector */
export function constantOfShape(
  graph: Graph,
  shape: readonly Dim[] | Value,
  value: number,
  type: DType = 'float32',
  options?: NodeOptions,
): Value {
  const vector = isValue(shape) ? shape : shapeVector(graph, shape)
  const call = beginCall('ConstantOfShape', { shape: vector }, options)
  requireType(call, 'shape', ['int64'])
  requireRank(call, 'shape', 1)
  const dims = sizesOf(call, vector)
  const element = graph.constantData(graph.constant(type, [1], [value]))
  const attribute: Attribute | undefined = element === undefined ? undefined : { kind: 'tensor', type, dims: [1], data: element }
  return emit(call, { value: attribute }, type, dims)
}

/** The numbers `start`, `start + delta`, … up to but without `limit`: a vector. At least one bound is a value without dimensions. */
export function range(start: Operand, limit: Operand, delta: Operand = 1, options?: NodeOptions): Value {
  const reference = [start, limit, delta].find(isValue)
  if (reference === undefined)
    throw new GraphError({ field: 'Range', found: 'only numbers', expected: 'at least one value; write other ranges as constants' })
  const { graph, type } = reference
  const call = beginCall(
    'Range',
    { start: operandValue(start, graph, type), limit: operandValue(limit, graph, type), delta: operandValue(delta, graph, type) },
    options,
  )
  requireType(call, 'start', NUMBERS)
  requireSameType(call)
  for (const label of call.inputs.keys()) requireRank(call, label, 0)
  const end = isValue(limit) ? limit.known?.[0] : limit
  const isCount = start === 0 && delta === 1 && end !== undefined && leastValue(end) !== undefined
  return emit(call, {}, type, [isCount ? end : unknownDim(call)])
}

/** Says that a value has these dimensions, where the author knows more than can be derived. No node; nothing is checked when it runs. */
export function assumeDims(x: Value, dims: readonly Dim[]): Value {
  const call = compositeCall('assumeDims', x.name, { x }, x.graph)
  if (dims.length !== x.dims.length) throw shapeError(call, `as many dimensions as ${showDims(dims)}`)
  dims.forEach((dim, axis) => {
    const current = dimAt(x, axis)
    if (!isDim(dim) || (typeof dim === 'number' && typeof current === 'number' && dim !== current))
      throw shapeError(call, `dimensions that may be ${showDims(dims)}`)
  })
  return { ...x, dims: dims.map(canonicalDim) }
}

function dimensionVector(graph: Graph, dim: Dim, sources: readonly Value[]): Value {
  if (typeof dim === 'number') return graph.constant('int64', [1], [dim])
  const whole = findDimension(dim, sources)
  if (whole !== undefined) return whole
  let sum: Value | undefined
  for (const { coefficient, symbols } of termsOf(dim)) {
    let product: Value | undefined
    for (const symbol of symbols) {
      const size = findDimension(symbol, sources)
      if (size === undefined)
        throw new GraphError({
          field: 'dimension',
          found: `${symbol}, which no input has`,
          expected: 'symbols that are dimensions of graph inputs',
        })
      product = product === undefined ? size : multiply(product, size)
    }
    const factor = graph.constant('int64', [1], [coefficient])
    const term = product === undefined ? factor : coefficient === 1 ? product : multiply(product, factor)
    sum = sum === undefined ? term : add(sum, term)
  }
  return sum ?? graph.constant('int64', [1], [0])
}

const foundDimensions = new WeakMap<Graph, Map<string, Value>>()

function findDimension(dim: string, sources: readonly Value[]): Value | undefined {
  for (const source of sources) {
    const axis = source.dims.findIndex((size) => sameDim(size, dim))
    if (axis < 0) continue
    const cache = foundDimensions.get(source.graph) ?? new Map<string, Value>()
    foundDimensions.set(source.graph, cache)
    const cached = cache.get(dim)
    if (cached !== undefined && source.graph.isVisible(cached)) return cached
    const found = shapeOf(source, { start: axis, end: axis + 1, name: `dimension.${dim}` })
    cache.set(dim, found)
    return found
  }
  return undefined
}

/** The dimensions that a vector computed in the graph holds, as far as they are known. */
function sizesOf(call: Call, shape: Value): readonly Dim[] {
  const length = shape.dims[0]
  if (typeof length !== 'number') throw shapeError(call, 'shape to have a known length')
  const sizes = shape.known ?? Array.from({ length }, (_, axis) => unknownDim(call, `${axis}`))
  if (!sizes.every(isDim)) throw shapeError(call, `shape to hold sizes, not ${showDims(sizes)}`)
  return sizes
}

function isValue(operand: Operand | readonly Dim[]): operand is Value {
  return typeof operand === 'object' && 'graph' in operand
}
