/**
 * Which experts a row goes to, and with what weights. The scores are a product in float32 in every weight format: a rounded score would
 * send rows elsewhere. Everything here is computed for each row on its own.
 */
import {
  add,
  cast,
  constantOfShape,
  divide,
  gatherElements,
  multiply,
  reduceSum,
  reshape,
  scalar,
  scatterElements,
  sigmoid,
  softmax,
  topK,
  unsqueeze,
  type Value,
  where,
} from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'

export interface Routing {
  /** [steps, perRow] int64: indices of experts. */
  readonly chosen: Value
  /** [steps, perRow] float32: the share of each in the sum. */
  readonly weights: Value
}

export interface RouterOptions {
  /** Name of the weight [experts, hidden]. */
  readonly weight: string
  readonly bias?: string
  readonly hidden: number
  readonly experts: number
}

/** A score of every row for every expert: x [1, steps, hidden] -> [steps, experts] */
export function routerScores(decoder: Decoder, x: Value, { weight, bias, hidden, experts }: RouterOptions): Value {
  const part = { name: weight, outputs: experts, ...(bias === undefined ? {} : { bias }) }
  return reshape(decoder.weights.linear(x, [part], { role: 'router', inputs: hidden }), ['steps', experts])
}

/** The experts with the greatest scores, with the softmax over the chosen scores as weights. */
export function softmaxOfChosen(scores: Value, perRow: number): Routing {
  const [values, chosen] = topK(scores, perRow)
  return { chosen, weights: softmax(values) }
}

/** The experts with the greatest scores, with their part of the softmax over all scores as weights: these sum to less than 1. */
export function shareOfSoftmax(scores: Value, perRow: number): Routing {
  const [weights, chosen] = topK(softmax(scores), perRow)
  return { chosen, weights }
}

export interface GroupLimits {
  readonly experts: number
  /** Groups of neighbouring experts, and in how many of them a row may choose. */
  readonly groups: number
  readonly groupsPerRow: number
}

export interface SigmoidRoutingOptions extends GroupLimits {
  readonly perRow: number
  /** Value [experts] that is added to the scores when experts are chosen, and not to the weights (balancing without an auxiliary loss). */
  readonly correction: Value
  /** Whether the weights are divided by their sum. */
  readonly normalizes: boolean
  /** Multiplies the weights. */
  readonly factor: number
}

/**
 * Sigmoids of the scores as weights (DeepSeek-V3 2024). The experts are those with the greatest corrected sigmoids within the groups whose two
 * best sum to the most.
 *
 * @param scores  [steps, experts] of the router
 */
export function sigmoidRouting(scores: Value, options: SigmoidRoutingOptions): Routing {
  const { perRow, correction, normalizes, factor } = options
  const { graph } = scores
  const shares = sigmoid(scores)
  const [, chosen] = topK(limitedToGroups(add(shares, correction), options, 2), perRow)
  const own = gatherElements(shares, chosen, { axis: 1 })
  const normal = normalizes ? divide(own, add(reduceSum(own, [1]), scalar(graph, 1e-20))) : own
  return { chosen, weights: multiply(normal, scalar(graph, factor)) }
}

export interface SoftmaxRoutingOptions extends GroupLimits {
  /** At most as many as the groups of a row have. */
  readonly perRow: number
  /** Multiplies the weights. */
  readonly factor: number
}

/**
 * Parts of the softmax over all scores as weights, which sum to less than the factor (DeepSeek-V2 2024). The experts are those with the greatest
 * parts within the groups whose best has the most.
 *
 * @param scores  [steps, experts] of the router
 */
export function softmaxRouting(scores: Value, options: SoftmaxRoutingOptions): Routing {
  const [weights, chosen] = topK(limitedToGroups(softmax(scores), options, 1), options.perRow)
  return { chosen, weights: multiply(weights, scalar(scores.graph, options.factor)) }
}

/**
 * Scores [steps, experts] with minus infinity for the experts of other groups: corrected scores may be negative. Groups are compared by the sum of
 * their `bestOf` greatest.
 */
function limitedToGroups(scores: Value, { experts, groups, groupsPerRow }: GroupLimits, bestOf: number): Value {
  if (groupsPerRow === groups) return scores
  const { graph } = scores
  const grouped = reshape(scores, ['steps', groups, experts / groups])
  const [greatest] = topK(grouped, bestOf)
  const [, best] = topK(reduceSum(greatest, [2], { keepDims: false }), groupsPerRow)
  const none = constantOfShape(graph, ['steps', groups], 0, 'int64')
  const isOpen = cast(scatterElements(none, best, constantOfShape(graph, ['steps', groupsPerRow], 1, 'int64'), { axis: 1 }), 'bool')
  return reshape(where(unsqueeze(isOpen, [2]), grouped, scalar(graph, Number.NEGATIVE_INFINITY)), ['steps', experts])
}
