/**
 * A sparse mixture of feed-forward experts (Shazeer et al. 2017) as one operator of ONNX Runtime: each row goes through the
 * `k` experts with the greatest router scores, and their results are added with the softmax of the scores as weights.
 */
import { type Dim, multiplyDims, sameDim } from '../dimension.ts'
import { FLOATS } from '../element-type.ts'
import { float, int, text } from '../node.ts'
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

export interface ExpertWeights {
  /** [experts, inner, hidden]; with 'swiglu' [experts, 2 * inner, hidden], rows of gate and up in turn */
  readonly into: Value
  /** [experts, hidden, inner] */
  readonly outOf: Value
  /** [experts, inner or 2 * inner] */
  readonly intoBias?: Value
  /** [experts, hidden] */
  readonly outOfBias?: Value
}

export interface MixtureOptions extends NodeOptions {
  /** Experts per row. */
  readonly k: number
  /** 'swiglu' is `silu(gate) * up`. */
  readonly activation?: 'swiglu' | 'silu' | 'gelu' | 'relu' | 'identity'
  /** Whether the softmax is over the chosen experts only (true, as most models have it) or over all. */
  readonly normalizeChosen?: boolean
}

/**
 * @param x       [rows, hidden]
 * @param scores  [rows, experts] of the router, before the softmax
 * @returns       [rows, hidden]
 */
export function mixtureOfExperts(
  x: Value,
  scores: Value,
  weights: ExpertWeights,
  { k, activation = 'swiglu', normalizeChosen = true, ...options }: MixtureOptions,
): Value {
  const { into, intoBias, outOf, outOfBias } = weights
  const call = beginCall('MoE', { x, scores, into, intoBias, outOf, outOfBias }, options, 'com.microsoft')
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  requireRank(call, 'x', 2)
  requireRank(call, 'scores', 2)
  requireRank(call, 'outOf', 3)
  const [rows, hidden] = [dimAt(x, 0), dimAt(x, 1)]
  const [experts, inner] = [dimAt(scores, 1), dimAt(outOf, 2)]
  const width: Dim = activation === 'swiglu' ? multiplyDims(2, inner) : inner
  if (!sameDim(dimAt(scores, 0), rows)) throw shapeError(call, `scores to be [${rows}, experts]`)
  requireDims(call, 'outOf', [experts, hidden, inner])
  requireDims(call, 'into', [experts, width, hidden])
  requireDims(call, 'intoBias', [experts, width])
  requireDims(call, 'outOfBias', [experts, hidden])
  if (!Number.isInteger(k) || k < 1 || (typeof experts === 'number' && k > experts))
    throw argumentError(call, `k = ${k}`, `1 to ${experts}`)
  const attributes = {
    k: int(k),
    activation_type: text(activation),
    normalize_routing_weights: int(normalizeChosen),
    // Gate and up in turn, sigmoid(1 * gate), up + 0: the SwiGLU that models mean.
    ...(activation === 'swiglu' ? { swiglu_fusion: int(1), activation_alpha: float(1), activation_beta: float(0) } : {}),
  }
  return emit(call, attributes, x.type, x.dims)
}
