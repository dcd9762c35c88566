/**
 * Convolutions and pooling over one or two spatial axes: x [batch, channels, …space].
 */
import { addDims, type Dim, leastValue, multiplyDims, subtractDims } from '../dimension.ts'
import { FLOATS } from '../element-type.ts'
import { int, ints } from '../node.ts'
import {
  argumentError,
  beginCall,
  type Call,
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

export interface WindowOptions extends NodeOptions {
  /** Per spatial axis; 1 when absent. */
  readonly strides?: readonly number[]
  /** Zeros before and after, all befores first; 0 when absent. */
  readonly pads?: readonly number[]
  /** Distance of the elements under a kernel, per spatial axis; 1 when absent. */
  readonly dilations?: readonly number[]
}

export interface ConvolutionOptions extends WindowOptions {
  /** Channels are cut into so many groups that do not see each other; 1 when absent. */
  readonly groups?: number
  /** [outputs] */
  readonly bias?: Value | undefined
}

interface Windows {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly pads: readonly number[]
  readonly dilations: readonly number[]
}

/** @param kernel  [outputs, channels / groups, …size]. @returns [batch, outputs, …space] */
export function convolution(
  x: Value,
  kernel: Value,
  { groups = 1, bias, strides, pads, dilations, ...options }: ConvolutionOptions = {},
): Value {
  const call = beginConvolution('Conv', x, kernel, bias, options)
  const outputs = dimAt(kernel, 0)
  const channels = dimAt(kernel, 1)
  requireDims(call, 'bias', [outputs])
  requireDims(call, 'x', [undefined, multiplyDims(channels, groups), ...x.dims.slice(2).map(() => undefined)])
  if (typeof outputs === 'number' && outputs % groups !== 0) throw shapeError(call, `${groups} groups to divide ${outputs} outputs`)
  const windows = windowsOf(call, kernelSize(call, kernel), { strides, pads, dilations })
  return emit(call, { ...attributesOf(windows), group: int(groups) }, x.type, [dimAt(x, 0), outputs, ...windowed(call, x, windows)])
}

/** The transpose of a convolution, which widens space. @param kernel  [channels, outputs / groups, …size]. @returns [batch, outputs, …space] */
export function convolutionTranspose(
  x: Value,
  kernel: Value,
  {
    groups = 1,
    bias,
    strides,
    pads,
    dilations,
    outputPads,
    ...options
  }: ConvolutionOptions & { readonly outputPads?: readonly number[] } = {},
): Value {
  const call = beginConvolution('ConvTranspose', x, kernel, bias, options)
  const outputs = multiplyDims(dimAt(kernel, 1), groups)
  requireDims(call, 'bias', [outputs])
  requireDims(call, 'x', [undefined, dimAt(kernel, 0), ...x.dims.slice(2).map(() => undefined)])
  const windows = windowsOf(call, kernelSize(call, kernel), { strides, pads, dilations })
  const rank = windows.kernel.length
  const space = windows.kernel.map((size, axis) => {
    const stretched = multiplyDims(dimAt(x, axis + 2), at(windows.strides, axis))
    const added = (size - 1) * at(windows.dilations, axis) + 1 + (outputPads?.[axis] ?? 0) - at(windows.strides, axis)
    return shifted(call, stretched, added - at(windows.pads, axis) - at(windows.pads, axis + rank), axis)
  })
  const attributes = {
    ...attributesOf(windows),
    group: int(groups),
    output_padding: outputPads === undefined ? undefined : ints(outputPads),
  }
  return emit(call, attributes, x.type, [dimAt(x, 0), outputs, ...space])
}

/** The mean under a window. @param size  of the window, per spatial axis; the strides are 1 when absent */
export function averagePool(
  x: Value,
  size: readonly number[],
  { strides, pads, dilations, countPads = false, ...options }: WindowOptions & { readonly countPads?: boolean } = {},
): Value {
  const call = beginCall('AveragePool', { x }, options)
  requireType(call, 'x', FLOATS)
  requireRank(call, 'x', size.length + 2)
  const windows = windowsOf(call, size, { strides, pads, dilations })
  return emit(call, { ...attributesOf(windows), count_include_pad: int(countPads) }, x.type, [
    ...x.dims.slice(0, 2),
    ...windowed(call, x, windows),
  ])
}

/** The mean over all of space: [batch, channels, 1, …]. */
export function globalAveragePool(x: Value, options?: NodeOptions): Value {
  const call = beginCall('GlobalAveragePool', { x }, options)
  requireType(call, 'x', FLOATS)
  requireRank(call, 'x', 3, Number.POSITIVE_INFINITY)
  return emit(
    call,
    {},
    x.type,
    x.dims.map((dim, axis) => (axis < 2 ? dim : 1)),
  )
}

function beginConvolution(operator: string, x: Value, kernel: Value, bias: Value | undefined, options: NodeOptions): Call {
  const call = beginCall(operator, { x, kernel, bias }, options)
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  requireRank(call, 'x', 3, 4)
  requireRank(call, 'kernel', x.dims.length)
  return call
}

function kernelSize(call: Call, kernel: Value): readonly number[] {
  return kernel.dims.slice(2).map((dim) => {
    if (typeof dim !== 'number') throw shapeError(call, 'a kernel whose size is known')
    return dim
  })
}

interface GivenWindows {
  readonly strides: readonly number[] | undefined
  readonly pads: readonly number[] | undefined
  readonly dilations: readonly number[] | undefined
}

function windowsOf(call: Call, kernel: readonly number[], { strides, pads, dilations }: GivenWindows): Windows {
  const rank = kernel.length
  const ones = kernel.map(() => 1)
  const windows = { kernel, strides: strides ?? ones, pads: pads ?? [...kernel, ...kernel].map(() => 0), dilations: dilations ?? ones }
  if (windows.strides.length !== rank || windows.dilations.length !== rank || windows.pads.length !== 2 * rank) {
    throw argumentError(call, 'strides, dilations or pads of another length', `${rank} strides, ${rank} dilations, ${2 * rank} pads`)
  }
  return windows
}

function attributesOf({ kernel, strides, pads, dilations }: Windows) {
  return { kernel_shape: ints(kernel), strides: ints(strides), pads: ints(pads), dilations: ints(dilations) }
}

function windowed(call: Call, x: Value, { kernel, strides, pads, dilations }: Windows): readonly Dim[] {
  return kernel.map((size, axis) => {
    const dim = dimAt(x, axis + 2)
    const stride = at(strides, axis)
    const added = at(pads, axis) + at(pads, axis + kernel.length) - at(dilations, axis) * (size - 1) - 1
    if (typeof dim === 'number') {
      if (dim + added < 0) throw shapeError(call, `axis ${axis + 2} to be at least as long as the window`)
      return Math.floor((dim + added) / stride) + 1
    }
    return stride === 1 ? shifted(call, dim, added + 1, axis) : unknownDim(call, `${axis}`)
  })
}

function shifted(call: Call, dim: Dim, by: number, axis: number): Dim {
  const sum = by >= 0 ? addDims(dim, by) : subtractDims(dim, -by)
  return (leastValue(sum) ?? -1) < 0 ? unknownDim(call, `${axis}`) : sum
}

function at(list: readonly number[], index: number): number {
  return list[index] ?? 0
}
