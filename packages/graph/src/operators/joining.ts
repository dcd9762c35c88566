/** Operators that join tensors along an axis, and cut them apart. */
import { addDims, type Dim, isDim, leastValue, multiplyDims, provablyDifferent, sameDim, showDims, subtractDims } from '../dimension.ts'
import { FLOATS, NUMBERS, WHOLE_BYTES } from '../element-type.ts'
import { int, text } from '../node.ts'
import {
  argumentError,
  axisOf,
  beginCall,
  type Call,
  dimAt,
  emit,
  emitAll,
  type NodeOptions,
  type Operand,
  operandValue,
  requireDims,
  required,
  requireRank,
  requireSameType,
  requireType,
  shapeError,
  unknownDim,
} from '../operator.ts'
import type { Value } from '../value.ts'

/** Values one after the other along an axis; the other dimensions are equal. */
export function concat(values: readonly Value[], { axis, ...options }: NodeOptions & { readonly axis: number }): Value {
  const call = beginCall('Concat', values, options)
  requireSameType(call)
  const [first, ...others] = values
  const dims = [...(first?.dims ?? [])]
  const index = axisOf(call, axis, dims.length)
  for (const value of others) {
    if (value.dims.length !== dims.length) throw shapeError(call, 'as many dimensions in each input')
    value.dims.forEach((dim, at) => {
      const sum = dims[at] ?? 0
      if (at === index) dims[at] = addDims(sum, dim)
      else if (!sameDim(sum, dim)) throw shapeError(call, `equal dimensions apart from axis ${index}, but ${sum} meets ${dim}`)
    })
  }
  const known = values.map((value) => value.known)
  const isKnown = dims.length === 1 && known.every((part) => part !== undefined)
  return emit(call, { axis: int(index) }, first?.type ?? 'float32', dims, isKnown ? known.flatMap((part) => part ?? []) : undefined)
}

/**
 * Cuts a value along an axis.
 *
 * @param sizes  the size of each part. Symbolic sizes also need `lengths`, an int64 vector with the sizes when the graph runs.
 */
export function split<const Sizes extends readonly Dim[]>(
  x: Value,
  sizes: Sizes,
  options: NodeOptions & { readonly axis: number; readonly lengths?: Value },
): { -readonly [Part in keyof Sizes]: Value }
export function split(
  x: Value,
  sizes: readonly Dim[],
  { axis, lengths, ...options }: NodeOptions & { readonly axis: number; readonly lengths?: Value },
): Value[] {
  const numbers = sizes.filter((size) => typeof size === 'number')
  const given = lengths ?? (numbers.length === sizes.length ? x.graph.constant('int64', [sizes.length], numbers) : undefined)
  const call = beginCall('Split', { x, lengths: given }, options)
  if (given === undefined) throw argumentError(call, `symbolic sizes ${showDims(sizes)}`, 'lengths as a value beside them')
  requireType(call, 'lengths', ['int64'])
  requireDims(call, 'lengths', [sizes.length])
  const index = axisOf(call, axis, x.dims.length)
  if (!sizes.every(isDim)) throw argumentError(call, `sizes ${showDims(sizes)}`, 'sizes from 0')
  if (provablyDifferent(addDims(...sizes), dimAt(x, index)))
    throw shapeError(call, `sizes ${showDims(sizes)} to sum to ${dimAt(x, index)} (axis ${index})`)
  if (lengths === undefined && !sameDim(addDims(...sizes), dimAt(x, index))) {
    throw shapeError(
      call,
      `sizes ${showDims(sizes)} to sum to ${dimAt(x, index)} (axis ${index}); where you know it, say so with assumeDims`,
    )
  }
  const specs = sizes.map((size) => ({ type: x.type, dims: x.dims.map((dim, at) => (at === index ? size : dim)) }))
  return emitAll(call, { axis: int(index) }, specs).map((value) => required(call, value))
}

/** Part of one axis: from `start` (0) up to but without `end` (all). Negative places count from the end. */
export interface SliceRange {
  readonly axis: number
  readonly start?: Operand
  readonly end?: Operand
  /** Every how many elements; negative runs backwards. 1 when absent. */
  readonly step?: number
}

const END = 2n ** 63n - 1n
const BEGINNING = -(2n ** 63n)

/** Parts of one or several axes. Places that are values are int64 vectors of length 1. */
export function slice(x: Value, ranges: SliceRange | readonly SliceRange[], options?: NodeOptions): Value {
  const list = isList(ranges) ? ranges : [ranges]
  const graph = x.graph
  const steps = list.map(({ step = 1 }) => step)
  const starts = list.map(({ start }, at) => start ?? ((steps[at] ?? 1) < 0 ? END : 0n))
  const ends = list.map(({ end }, at) => end ?? ((steps[at] ?? 1) < 0 ? BEGINNING : END))
  const inputs = {
    x,
    starts: places(x, starts),
    ends: places(x, ends),
    axes: graph.constant(
      'int64',
      [list.length],
      list.map(({ axis }) => axis),
    ),
    steps: steps.every((step) => step === 1) ? undefined : graph.constant('int64', [list.length], steps),
  }
  const call = beginCall('Slice', inputs, options)
  requireType(call, 'starts', ['int64'])
  requireType(call, 'ends', ['int64'])
  const dims = [...x.dims]
  list.forEach((range, at) => {
    const axis = axisOf(call, range.axis, dims.length)
    const step = steps[at] ?? 1
    if (step === 0 || !Number.isInteger(step)) throw argumentError(call, `step ${step}`, 'a whole number other than 0')
    dims[axis] = slicedDim(call, dimAt(x, axis), inputs.starts.known?.[at], inputs.ends.known?.[at], step, axis)
  })
  const known =
    x.known !== undefined && list.length === 1
      ? slicedKnown(x.known, inputs.starts.known?.[0], inputs.ends.known?.[0], steps[0] ?? 1)
      : undefined
  return emit(call, {}, x.type, dims, known)
}

/** Elements around x. @param pads  how many before and after, per axis: `{ axis, before, after }`; negative ones cut. */
export function pad(
  x: Value,
  pads: readonly { readonly axis: number; readonly before?: number; readonly after?: number }[],
  {
    mode = 'constant',
    value,
    ...options
  }: NodeOptions & { readonly mode?: 'constant' | 'reflect' | 'edge' | 'wrap'; readonly value?: Operand } = {},
): Value {
  const befores = x.dims.map(() => 0)
  const afters = x.dims.map(() => 0)
  const fill = value === undefined ? undefined : operandValue(value, x.graph, x.type)
  const rank = x.dims.length
  for (const { axis, before = 0, after = 0 } of pads) {
    befores[axis < 0 ? axis + rank : axis] = before
    afters[axis < 0 ? axis + rank : axis] = after
  }
  const call = beginCall(
    'Pad',
    { x, pads: x.graph.constant('int64', [2 * rank], [...befores, ...afters].slice(0, 2 * rank)), value: fill },
    options,
  )
  requireType(call, 'x', WHOLE_BYTES)
  requireSameType(call, ['x', 'value'])
  for (const { axis } of pads) axisOf(call, axis, rank)
  const dims = x.dims.map((dim, axis) => {
    const added = (befores[axis] ?? 0) + (afters[axis] ?? 0)
    const sum = added >= 0 ? addDims(dim, added) : subtractDims(dim, -added)
    if (typeof sum === 'number' && sum < 0) throw shapeError(call, `axis ${axis} to be long enough`)
    return leastValue(sum) === undefined ? unknownDim(call, `${axis}`) : sum
  })
  return emit(call, { mode: text(mode) }, x.type, dims)
}

/** The upper or lower triangle of the last two axes, zeros elsewhere. @param diagonal  0 the main one, positive above it */
export function trilu(
  x: Value,
  { upper, diagonal = 0, ...options }: NodeOptions & { readonly upper: boolean; readonly diagonal?: number },
): Value {
  const call = beginCall('Trilu', { x, diagonal: diagonal === 0 ? undefined : x.graph.constant('int64', [], [diagonal]) }, options)
  requireType(call, 'x', WHOLE_BYTES)
  requireRank(call, 'x', 2, Number.POSITIVE_INFINITY)
  return emit(call, { upper: int(upper) }, x.type, x.dims)
}

/**
 * x stretched along its axes.
 *
 * @param scales  factor per axis
 */
export function resize(
  x: Value,
  scales: readonly number[],
  {
    mode = 'nearest',
    coordinates = 'half_pixel',
    nearest = 'round_prefer_floor',
    ...options
  }: NodeOptions & {
    readonly mode?: 'nearest' | 'linear' | 'cubic'
    readonly coordinates?: 'half_pixel' | 'pytorch_half_pixel' | 'align_corners' | 'asymmetric'
    readonly nearest?: 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil'
  } = {},
): Value {
  const call = beginCall('Resize', { x, region: undefined, scales: x.graph.constant('float32', [scales.length], scales) }, options)
  requireType(call, 'x', NUMBERS)
  if (mode !== 'nearest') requireType(call, 'x', FLOATS)
  if (scales.length !== x.dims.length || scales.some((scale) => !(scale > 0)))
    throw argumentError(call, `scales ${scales.join(', ')}`, `${x.dims.length} factors above 0`)
  const dims = x.dims.map((dim, axis) => {
    const scale = Math.fround(scales[axis] ?? 1)
    return typeof dim === 'number'
      ? Math.floor(dim * scale)
      : Number.isInteger(scale)
        ? multiplyDims(dim, scale)
        : unknownDim(call, `${axis}`)
  })
  const nearestMode = mode === 'nearest' ? text(nearest) : undefined
  return emit(call, { mode: text(mode), coordinate_transformation_mode: text(coordinates), nearest_mode: nearestMode }, x.type, dims)
}

function slicedDim(call: Call, size: Dim, start: Dim | undefined, end: Dim | undefined, step: number, axis: number): Dim {
  if (start === undefined || end === undefined) return unknownDim(call, `${axis}`)
  if (typeof size === 'number' && typeof start === 'number' && typeof end === 'number') return slicedCount(size, start, end, step)
  if (step !== 1) return unknownDim(call, `${axis}`)
  const from = placeWithin(size, start)
  const to = placeWithin(size, end)
  if (from === undefined || to === undefined) return unknownDim(call, `${axis}`)
  const length = subtractDims(to, from)
  return leastValue(length) === undefined ? unknownDim(call, `${axis}`) : length
}

/** Where a place lies in an axis of symbolic size, if that is the same for every size. */
function placeWithin(size: Dim, place: Dim): Dim | undefined {
  const least = leastValue(size) ?? 0
  if (typeof place !== 'number') {
    const isInside = leastValue(place) !== undefined && leastValue(subtractDims(size, place)) !== undefined
    return isInside ? place : undefined
  }
  if (place >= Number(END)) return size
  if (place >= 0) return place <= least ? place : undefined
  return -place <= least ? subtractDims(size, -place) : undefined
}

function slicedCount(size: number, start: number, end: number, step: number): number {
  const from = start < 0 ? start + size : start
  const to = end < 0 ? end + size : end
  if (step > 0) return Math.max(0, Math.ceil((Math.min(to, size) - Math.max(0, Math.min(from, size))) / step))
  return Math.max(0, Math.ceil((Math.max(to, -1) - Math.max(-1, Math.min(from, size - 1))) / step))
}

function slicedKnown(known: readonly Dim[], start: Dim | undefined, end: Dim | undefined, step: number): readonly Dim[] | undefined {
  return step === 1 && typeof start === 'number' && typeof end === 'number' ? known.slice(start, end) : undefined
}

function places(x: Value, list: readonly (Operand | bigint)[]): Value {
  const graph = x.graph
  const numbers = list.filter((place) => typeof place !== 'object')
  if (numbers.length === list.length) return graph.constant('int64', [list.length], numbers)
  return concat(
    list.map((place) => (typeof place === 'object' ? place : graph.constant('int64', [1], [place]))),
    { axis: 0 },
  )
}

function isList(ranges: SliceRange | readonly SliceRange[]): ranges is readonly SliceRange[] {
  return Array.isArray(ranges)
}
