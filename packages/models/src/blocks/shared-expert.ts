/** An expert that every row uses beside the chosen ones, scaled by a sigmoid of its own score for the row (Qwen 2 MoE). */
import { multiply, sigmoid, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import { type FeedForwardSizes, gatedFeedForward, gatedParts } from './feed-forward.ts'

export interface SharedExpertOptions extends FeedForwardSizes {
  readonly prefix: string
  /** Name of the weight [1, hidden]. */
  readonly gate: string
}

/** x [1, steps, hidden] -> [1, steps, hidden] */
export function gatedSharedExpert(decoder: Decoder, x: Value, options: SharedExpertOptions): Value {
  const score = decoder.weights.linear(x, [{ name: options.gate, outputs: 1 }], { role: 'router', inputs: options.hidden })
  return multiply(gatedFeedForward(decoder, x, { ...options, ...gatedParts(options.prefix, options) }), sigmoid(score))
}
