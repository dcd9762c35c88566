/** Feed-forward blocks. The gated one (SwiGLU, Shazeer 2020) is `down(activation(gate(x)) * up(x))`, with gate and up as one product. */
import { gelu, multiply, quickGelu, relu, split, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'

export const ACTIVATIONS = ['silu', 'swish', 'gelu', 'gelu_new', 'gelu_pytorch_tanh', 'gelu_fast', 'relu'] as const
export type Activation = (typeof ACTIVATIONS)[number]

export interface GatedFeedForwardOptions {
  /** Prefix of `gate_proj`, `up_proj` and `down_proj`. */
  readonly prefix: string
  readonly hidden: number
  readonly inner: number
  readonly activation: Activation
  readonly hasBias: boolean
}

/** x [1, steps, hidden] -> [1, steps, hidden] */
export function gatedFeedForward(decoder: Decoder, x: Value, options: GatedFeedForwardOptions): Value {
  const { prefix, hidden, inner, hasBias } = options
  const part = (name: string, outputs: number) => ({
    name: `${prefix}.${name}.weight`,
    outputs,
    ...(hasBias ? { bias: `${prefix}.${name}.bias` } : {}),
  })
  const both = decoder.weights.linear(x, [part('gate_proj', inner), part('up_proj', inner)], { role: 'linear', inputs: hidden })
  const [gate, up] = split(both, [inner, inner], { axis: -1 })
  const gated = multiply(activate(gate, options.activation), up)
  return decoder.weights.linear(gated, [part('down_proj', hidden)], { role: 'linear', inputs: inner })
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
      return gelu(x, { approximation: 'tanh' })
  }
}
