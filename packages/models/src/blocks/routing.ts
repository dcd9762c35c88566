/**
 * Which experts a row goes to, and with what weights. The scores are a product in float32 in every weight format: a rounded score would
 * send rows elsewhere. Everything here is computed for each row on its own.
 */
import { reshape, softmax, topK, type Value } from '@foretoken/graph'
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
