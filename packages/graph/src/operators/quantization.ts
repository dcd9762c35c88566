/**
 * Quantisation and products of quantised tensors. Note: u8·s8 products saturate on processors without VNNI; u8·u8 does not.
 */
import type { DType } from '@foretoken/tensor'
import { multiplyDims, sameDims } from '../dimension.ts'
import { FLOATS, INDICES } from '../element-type.ts'
import { int } from '../node.ts'
import {
  argumentError,
  axisOf,
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
import { productDims } from './product.ts'

const BYTES: readonly DType[] = ['uint8', 'int8']
const QUANTIZED: readonly DType[] = ['uint8', 'int8', 'uint16', 'int16', 'uint4', 'int4']

export interface QuantizationOptions extends NodeOptions {
  /** The axis along which a vector of scales runs; 1 when absent. */
  readonly axis?: number
  /** Elements per scale along the axis, for scales in blocks; 0 means none. */
  readonly blockSize?: number
}

/** `saturate(round(x / scale) + zeroPoint)`: scale and zero point are single, one per index of an axis, or in blocks. */
export function quantizeLinear(
  x: Value,
  scale: Value,
  zeroPoint: Value,
  { axis = 1, blockSize = 0, ...options }: QuantizationOptions = {},
): Value {
  const call = beginCall('QuantizeLinear', { x, scale, zeroPoint }, options)
  requireType(call, 'x', [...FLOATS, 'int32'])
  requireType(call, 'zeroPoint', QUANTIZED)
  if (!sameDims(scale.dims, zeroPoint.dims)) throw shapeError(call, 'zeroPoint to have the dimensions of scale')
  if (scale.dims.length === 1 && x.dims.length > 0 && !(scale.dims[0] === 1 && x.dims.length === 1))
    requireDims(call, 'scale', [dimAt(x, axisOf(call, axis, x.dims.length))])
  return emit(call, { axis: int(axis), block_size: blockSize === 0 ? undefined : int(blockSize) }, zeroPoint.type, x.dims)
}

/** `(x - zeroPoint) * scale` */
export function dequantizeLinear(
  x: Value,
  scale: Value,
  zeroPoint?: Value,
  { axis = 1, blockSize = 0, ...options }: QuantizationOptions = {},
): Value {
  const call = beginCall('DequantizeLinear', { x, scale, zeroPoint }, options)
  requireType(call, 'x', [...QUANTIZED, 'int32'])
  requireType(call, 'scale', FLOATS)
  requireSameType(call, ['x', 'zeroPoint'])
  if (scale.dims.length === 1 && x.dims.length > 0) requireDims(call, 'scale', [dimAt(x, axisOf(call, axis, x.dims.length))])
  return emit(call, { axis: int(axis), block_size: blockSize === 0 ? undefined : int(blockSize) }, scale.type, x.dims)
}

/** uint8 with one scale and zero point for the whole tensor, from its least and greatest element. @returns [quantised, scale, zero point] */
export function dynamicQuantizeLinear(x: Value, options?: NodeOptions): [quantized: Value, scale: Value, zeroPoint: Value] {
  const call = beginCall('DynamicQuantizeLinear', { x }, options)
  requireType(call, 'x', ['float32'])
  const [quantized, scale, zeroPoint] = emitAll(call, {}, [
    { type: 'uint8', dims: x.dims },
    { type: 'float32', dims: [] },
    { type: 'uint8', dims: [] },
  ])
  return [required(call, quantized), required(call, scale), required(call, zeroPoint)]
}

/** `(a - aZeroPoint) @ (b - bZeroPoint)` in int32. Zero points are single, or one per row of a or column of b. */
export function matMulInteger(a: Value, b: Value, aZeroPoint?: Value, bZeroPoint?: Value, options?: NodeOptions): Value {
  const call = beginCall('MatMulInteger', { a, b, aZeroPoint, bZeroPoint }, options)
  for (const label of call.inputs.keys()) requireType(call, label, BYTES)
  requireSameType(call, ['a', 'aZeroPoint'])
  requireSameType(call, ['b', 'bZeroPoint'])
  return emit(call, {}, 'int32', productDims(call, a.dims, b.dims))
}

/** `(a - aZeroPoint) @ (b - bZeroPoint) * aScale * bScale + bias`, the scales of b single or one per column. An operator of ONNX Runtime. */
export function matMulIntegerToFloat(
  a: Value,
  b: Value,
  aScale: Value,
  bScale: Value,
  {
    aZeroPoint,
    bZeroPoint,
    bias,
    ...options
  }: NodeOptions & { readonly aZeroPoint?: Value; readonly bZeroPoint?: Value; readonly bias?: Value } = {},
): Value {
  const call = beginCall('MatMulIntegerToFloat', { a, b, aScale, bScale, aZeroPoint, bZeroPoint, bias }, options, 'com.microsoft')
  for (const label of ['a', 'b', 'aZeroPoint', 'bZeroPoint']) requireType(call, label, BYTES)
  for (const label of ['aScale', 'bScale', 'bias']) requireType(call, label, ['float32', 'float16'])
  requireSameType(call, ['a', 'aZeroPoint'])
  requireSameType(call, ['b', 'bZeroPoint'])
  const dims = productDims(call, a.dims, b.dims)
  if (bScale.dims.length === 1 && bScale.dims[0] !== 1) requireDims(call, 'bScale', [dimAt(b, -1)])
  requireDims(call, 'bias', [dimAt(b, -1)])
  return emit(call, {}, aScale.type, dims)
}

/** `a @ ((b - bZeroPoint) * bScale) + bias` with a quantised when it runs, by one scale for the whole tensor: quick, and poor for language models. An operator of ONNX Runtime. */
export function dynamicQuantizeMatMul(
  a: Value,
  b: Value,
  bScale: Value,
  { bZeroPoint, bias, ...options }: NodeOptions & { readonly bZeroPoint?: Value; readonly bias?: Value } = {},
): Value {
  const call = beginCall('DynamicQuantizeMatMul', { a, b, bScale, bZeroPoint, bias }, options, 'com.microsoft')
  requireType(call, 'a', ['float32'])
  requireType(call, 'b', BYTES)
  requireSameType(call, ['b', 'bZeroPoint'])
  if (bScale.dims.length === 1 && bScale.dims[0] !== 1) requireDims(call, 'bScale', [dimAt(b, -1)])
  requireDims(call, 'bias', [dimAt(b, -1)])
  return emit(call, {}, 'float32', productDims(call, a.dims, b.dims))
}

export interface BlockProductOptions extends NodeOptions {
  readonly outputs: number
  readonly inputs: number
  readonly bits: 4 | 8
  readonly blockSize: number
  /** The least precision of the activations: 1 float32, 2 float16, 4 int8; 0 leaves it to the runtime. */
  readonly accuracyLevel?: 0 | 1 | 2 | 3 | 4
  /** Uint8, packed as the weight, or of the type of x; 2^(bits-1) when absent. Floating ones take a slow path. */
  readonly zeroPoints?: Value
  readonly bias?: Value
}

/**
 * x [..., inputs] by a weight quantised in blocks: [..., outputs]. An operator of ONNX Runtime.
 *
 * @param weight  uint8 [outputs, blocks, blockSize * bits / 8], low nibble first
 * @param scales  [outputs * blocks] or [outputs, blocks]
 */
export function matMulNBits(
  x: Value,
  weight: Value,
  scales: Value,
  { outputs, inputs, bits, blockSize, accuracyLevel = 0, zeroPoints, bias, ...options }: BlockProductOptions,
): Value {
  const call = beginCall('MatMulNBits', { x, weight, scales, zeroPoints, groupIndex: undefined, bias }, options, 'com.microsoft')
  requireType(call, 'x', ['float32', 'float16'])
  requireType(call, 'weight', ['uint8'])
  requireSameType(call, ['x', 'scales'])
  if (bits !== 4 && bits !== 8) throw argumentError(call, `${bits} bits`, '4 or 8')
  if (!Number.isInteger(Math.log2(blockSize)) || blockSize < 16)
    throw argumentError(call, `blocks of ${blockSize}`, 'a power of two from 16')
  const blocks = Math.ceil(inputs / blockSize)
  requireRank(call, 'x', 1, Number.POSITIVE_INFINITY)
  requireDims(call, 'x', [...x.dims.slice(0, -1), inputs])
  requireDims(call, 'weight', [outputs, blocks, (blockSize * bits) / 8])
  if (!sameDims(scales.dims, [outputs, blocks])) requireDims(call, 'scales', [outputs * blocks])
  requireDims(call, 'bias', [outputs])
  const attributes = { K: int(inputs), N: int(outputs), bits: int(bits), block_size: int(blockSize), accuracy_level: int(accuracyLevel) }
  return emit(call, attributes, x.type, [...x.dims.slice(0, -1), outputs])
}

/**
 * Rows of a table quantised in blocks along its last axis, de-quantised. An operator of ONNX Runtime.
 *
 * @param table    uint8 [rows, columns * bits / 8] (or int4, uint4 [rows, columns])
 * @param scales   [rows, columns / blockSize]
 */
export function gatherBlockQuantized(
  table: Value,
  indices: Value,
  scales: Value,
  {
    bits,
    blockSize,
    zeroPoints,
    ...options
  }: NodeOptions & { readonly bits: 4 | 8; readonly blockSize: number; readonly zeroPoints?: Value },
): Value {
  const call = beginCall('GatherBlockQuantized', { table, indices, scales, zeroPoints }, options, 'com.microsoft')
  requireType(call, 'table', ['uint8', 'int4', 'uint4'])
  requireType(call, 'indices', INDICES)
  requireType(call, 'scales', FLOATS)
  requireSameType(call, ['table', 'zeroPoints'])
  requireRank(call, 'table', 2)
  const perByte = table.type === 'uint8' ? 8 / bits : 1
  const columns = multiplyDims(dimAt(table, 1), perByte)
  if (typeof columns !== 'number') throw shapeError(call, 'a table whose dimensions are numbers')
  requireDims(call, 'scales', [dimAt(table, 0), Math.ceil(columns / blockSize)])
  const attributes = { gather_axis: int(0), quantize_axis: int(1), block_size: int(blockSize), bits: int(bits) }
  return emit(call, attributes, scales.type, [...indices.dims, columns])
}
