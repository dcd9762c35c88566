/**
 * Normalisations. The fused forms with `skip` add the residual first and give the sum as well, as one operator of ONNX Runtime.
 */
import { FLOATS } from '../element-type.ts'
import { float, int } from '../node.ts'
import {
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
} from '../operator.ts'
import type { Value } from '../value.ts'

export interface NormalizationOptions extends NodeOptions {
  /** Added to the variance; 1e-5 when absent. */
  readonly epsilon?: number
}

/** `(x - mean) / √(variance + ε) * scale + bias` over the axes from `axis` on. `scale` and `bias` have those dimensions. */
export function layerNormalization(
  x: Value,
  scale: Value,
  bias?: Value,
  { axis = -1, epsilon = 1e-5, ...options }: NormalizationOptions & { readonly axis?: number } = {},
): Value {
  const call = beginCall('LayerNormalization', { x, scale, bias }, options)
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  const index = axisOf(call, axis, x.dims.length)
  requireDims(call, 'scale', x.dims.slice(index))
  requireDims(call, 'bias', x.dims.slice(index))
  return emit(call, { axis: int(index), epsilon: float(epsilon), stash_type: int(1) }, x.type, x.dims)
}

/** `x / √(mean(x²) + ε) * scale` over the last axis [hidden]. */
export function rmsNormalization(x: Value, scale: Value, { epsilon = 1e-5, ...options }: NormalizationOptions = {}): Value {
  // ONNX Runtime registers this operator of its own in the standard domain, under opset 1.
  const call = beginCall('SimplifiedLayerNormalization', { x, scale }, options)
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  requireRank(call, 'x', 1, Number.POSITIVE_INFINITY)
  requireDims(call, 'scale', x.dims.slice(-1))
  return emit(call, { axis: int(-1), epsilon: float(epsilon), stash_type: int(1) }, x.type, x.dims)
}

/** `sum = x + skip (+ bias)` and its RMS normalisation; [batch, steps, hidden] or [rows, hidden]. @returns [normalised, sum] */
export function skipRmsNormalization(
  x: Value,
  skip: Value,
  scale: Value,
  { epsilon = 1e-5, bias, ...options }: NormalizationOptions & { readonly bias?: Value } = {},
): [normalized: Value, sum: Value] {
  const call = beginCall('SkipSimplifiedLayerNormalization', { x, skip, scale, bias }, options, 'com.microsoft')
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  requireRank(call, 'x', 2, 3)
  requireDims(call, 'skip', x.dims)
  requireDims(call, 'scale', [dimAt(x, -1)])
  requireDims(call, 'bias', [dimAt(x, -1)])
  const spec = { type: x.type, dims: x.dims }
  const [normalized, , , sum] = emitAll(call, { epsilon: float(epsilon) }, [spec, undefined, undefined, spec])
  return [required(call, normalized), required(call, sum)]
}

/** `sum = x + skip (+ bias)` and its layer normalisation `* scale + shift`; [batch, steps, hidden] or [rows, hidden]. @returns [normalised, sum] */
export function skipLayerNormalization(
  x: Value,
  skip: Value,
  scale: Value,
  { epsilon = 1e-5, shift, bias, ...options }: NormalizationOptions & { readonly shift?: Value; readonly bias?: Value } = {},
): [normalized: Value, sum: Value] {
  const call = beginCall('SkipLayerNormalization', { x, skip, scale, shift, bias }, options, 'com.microsoft')
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  requireRank(call, 'x', 2, 3)
  requireDims(call, 'skip', x.dims)
  for (const label of ['scale', 'shift', 'bias']) requireDims(call, label, [dimAt(x, -1)])
  const spec = { type: x.type, dims: x.dims }
  const [normalized, , , sum] = emitAll(call, { epsilon: float(epsilon) }, [spec, undefined, undefined, spec])
  return [required(call, normalized), required(call, sum)]
}

/** Normalisation over groups of channels: x [batch, channels, …], `scale` and `bias` [channels]. */
export function groupNormalization(
  x: Value,
  scale: Value,
  bias: Value,
  { groups, epsilon = 1e-5, ...options }: NormalizationOptions & { readonly groups: number },
): Value {
  const call = beginCall('GroupNormalization', { x, scale, bias }, options)
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  requireRank(call, 'x', 3, Number.POSITIVE_INFINITY)
  requireDims(call, 'scale', [dimAt(x, 1)])
  requireDims(call, 'bias', [dimAt(x, 1)])
  return emit(call, { num_groups: int(groups), epsilon: float(epsilon), stash_type: int(1) }, x.type, x.dims)
}
