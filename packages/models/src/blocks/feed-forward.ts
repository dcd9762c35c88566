/** Feed-forward blocks: two products with an activation between them, or three, the first of which gates the second (Shazeer 2020). */
import { gelu, multiply, quickGelu, relu, split, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'

export const ACTIVATIONS = ['silu', 'swish', 'gelu', 'gelu_new', 'gelu_pytorch_tanh', 'gelu_fast', 'gelu_tanh', 'relu'] as const
export type Activation = (typeof ACTIVATIONS)[number]

export interface FeedForwardSizes {
  readonly hidden: number
  readonly inner: number
  readonly activation: Activation
}

/** `gate_proj`, `up_proj` and `down_proj` below a prefix, as most gated decoders name them. */
export function gatedParts(prefix: string, { hidden, inner }: Pick<FeedForwardSizes, 'hidden' | 'inner'>, hasBias = false) {
  const part = (name: string, outputs: number): LinearPart => ({
    name: `${prefix}.${name}.weight`,
    outputs,
    ...(hasBias ? { bias: `${prefix}.${name}.bias` } : {}),
  })
  return { gateAndUp: [part('gate_proj', inner), part('up_proj', inner)], down: part('down_proj', hidden) }
}

export interface GatedFeedForwardOptions extends FeedForwardSizes {
  /** Together [2 * inner, hidden]: the gate's rows first. */
  readonly gateAndUp: readonly LinearPart[]
  readonly down: LinearPart
}

/** `down(activation(gate(x)) * up(x))`; x [1, steps, hidden] -> [1, steps, hidden] */
export function gatedFeedForward(decoder: Decoder, x: Value, options: GatedFeedForwardOptions): Value {
  const { hidden, inner } = options
  const both = decoder.weights.linear(x, options.gateAndUp, { role: 'linear', inputs: hidden })
  const [gate, up] = split(both, [inner, inner], { axis: -1 })
  const gated = multiply(activate(gate, options.activation), up)
  return decoder.weights.linear(decoder.weights.spread(gated, inner), [options.down], {
    role: 'linear',
    inputs: inner,
    isAddedToStream: true,
  })
}

export interface FeedForwardOptions extends FeedForwardSizes {
  readonly up: LinearPart
  readonly down: LinearPart
}

/** `down(activation(up(x)))`; x [1, steps, hidden] -> [1, steps, hidden] */
export function feedForward(decoder: Decoder, x: Value, options: FeedForwardOptions): Value {
  const raised = decoder.weights.linear(x, [options.up], { role: 'linear', inputs: options.hidden })
  return decoder.weights.linear(activate(raised, options.activation), [options.down], {
    role: 'linear',
    inputs: options.inner,
    isAddedToStream: true,
  })
}

export function activate(x: Value, activation: Activation): Value {
  switch (activation) {
    case 'silu':
    case 'swish':
      // x * sigmoid(alpha * x) with alpha 1 is SiLU, as one operator
      return quickGelu(x, { alpha: 1 })
    case 'relu':
      return relu(x)
    case 'gelu':
      return gelu(x)
    case 'gelu_new':
    case 'gelu_pytorch_tanh':
    case 'gelu_fast':
    case 'gelu_tanh':
      return gelu(x, { approximation: 'tanh' })
  }
}
