/**
 * The experts of gpt-oss (OpenAI 2025): linear layers with biases and a gate that is clamped, `(up + 1) * gate * sigmoid(alpha * gate)` with
 * gate <= limit and |up| <= limit. Files hold gate and up of all experts in one tensor, row for row in turn: as 4-bit blocks [experts, 2 * inner,
 * hidden], transposed in 16 bits [experts, hidden, 2 * inner], or apart (llama.cpp).
 */
import { add, clip, minimum, multiply, quickGelu, scalar, split, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import { mixtureOfExperts } from './mixture.ts'
import type { Routing } from './routing.ts'

export interface ClampedExpertsOptions {
  readonly experts: number
  /** E.g. `model.layers.0.mlp.experts`. */
  readonly prefix: string
  readonly hidden: number
  readonly inner: number
  readonly alpha: number
  readonly limit: number
}

/** x [1, steps, hidden] -> [1, steps, hidden] */
export function clampedExperts(decoder: Decoder, x: Value, routing: Routing, options: ClampedExpertsOptions): Value {
  const { experts, hidden, inner, alpha, limit } = options
  const { weights } = decoder
  const parts = (index: number) => expertParts(decoder, index, options)
  const { gateAndUp, down } = parts(0)
  return mixtureOfExperts(decoder, x, routing, {
    experts,
    hidden,
    doublesSingleRows: weights.doublesSingleRows([...gateAndUp, down], 'linear'),
    expert(rows, index) {
      const own = parts(index)
      const both = weights.linear(rows, own.gateAndUp, { role: 'linear', inputs: hidden })
      const [gate, up] = split(both, [inner, inner], { axis: -1 })
      const gated = quickGelu(minimum([gate, scalar(gate.graph, limit)]), { alpha })
      const raised = add(clip(up, -limit, limit), scalar(up.graph, 1))
      return weights.linear(multiply(raised, gated), [own.down], { role: 'linear', inputs: inner })
    },
  })
}

function expertParts(
  { weights }: Decoder,
  index: number,
  { prefix, experts, hidden, inner }: ClampedExpertsOptions,
): { readonly gateAndUp: readonly LinearPart[]; readonly down: LinearPart } {
  const slice = { index, of: experts }
  if (weights.has(`${prefix}.gate_proj.weight`)) {
    const part = (name: string, outputs: number): LinearPart => ({
      name: `${prefix}.${name}.weight`,
      bias: `${prefix}.${name}.bias`,
      outputs,
      slice,
    })
    return { gateAndUp: [part('gate_proj', inner), part('up_proj', inner)], down: part('down_proj', hidden) }
  }
  const isBlocks = weights.has(`${prefix}.gate_up_proj_blocks`)
  const part = (name: string, outputs: number): LinearPart => ({
    name: isBlocks ? `${prefix}.${name}_blocks` : `${prefix}.${name}`,
    bias: `${prefix}.${name}_bias`,
    outputs,
    slice,
    ...(isBlocks ? {} : { isTransposed: true }),
  })
  return { gateAndUp: [{ ...part('gate_up_proj', 2 * inner), rowOrder: gateFirst(inner) }], down: part('down_proj', hidden) }
}

/** The even rows are the gate's, the odd ones up's. */
function gateFirst(inner: number): Int32Array {
  return Int32Array.from({ length: 2 * inner }, (_, row) => (row < inner ? 2 * row : 2 * (row - inner) + 1))
}
