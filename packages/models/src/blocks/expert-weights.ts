/**
 * Where the weights of gated experts lie: each expert's three matrices under names of their own, as checkpoints have been published, or all
 * experts in one tensor for each matrix (llama.cpp), or with gate and up fused as well (transformers 5). Of a shared tensor only the rows of
 * one expert are read at a time.
 */
import type { Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import { type FeedForwardSizes, gatedFeedForward } from './feed-forward.ts'
import { mixtureOfExperts } from './mixture.ts'
import type { Routing } from './routing.ts'

export interface ExpertNames {
  readonly gate: string
  readonly up: string
  readonly down: string
}

const PROJECTIONS: ExpertNames = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }

export interface GatedExpertsOptions extends FeedForwardSizes {
  readonly experts: number
  /** E.g. `model.layers.0.mlp.experts`. */
  readonly prefix: string
  /** What the matrices of a single expert are called where each has its own, when it is not `gate_proj`, `up_proj` and `down_proj`. */
  readonly names?: ExpertNames
}

/** A mixture of feed-forward blocks that are gated as dense ones are: x [1, steps, hidden] -> [1, steps, hidden] */
export function gatedExperts(decoder: Decoder, x: Value, routing: Routing, options: GatedExpertsOptions): Value {
  const parts = (index: number) => gatedExpertParts(decoder, index, options)
  const { gateAndUp, down } = parts(0)
  return mixtureOfExperts(decoder, x, routing, {
    experts: options.experts,
    hidden: options.hidden,
    doublesSingleRows: decoder.weights.doublesSingleRows([...gateAndUp, down], 'linear'),
    expert: (rows, index) => gatedFeedForward(decoder, rows, { ...options, ...parts(index) }),
  })
}

function gatedExpertParts(
  { weights }: Decoder,
  index: number,
  { prefix, experts, inner, hidden, names = PROJECTIONS }: GatedExpertsOptions,
): { readonly gateAndUp: readonly LinearPart[]; readonly down: LinearPart } {
  const slice = { index, of: experts }
  if (weights.has(`${prefix}.gate_up_proj`)) {
    return {
      gateAndUp: [{ name: `${prefix}.gate_up_proj`, outputs: 2 * inner, slice }],
      down: { name: `${prefix}.down_proj`, outputs: hidden, slice },
    }
  }
  const isStacked = weights.has(`${prefix}.gate_proj.weight`)
  const { gate, up, down } = isStacked ? PROJECTIONS : names
  const part = (name: string, outputs: number): LinearPart =>
    isStacked ? { name: `${prefix}.${name}.weight`, outputs, slice } : { name: `${prefix}.${index}.${name}.weight`, outputs }
  return { gateAndUp: [part(gate, inner), part(up, inner)], down: part(down, hidden) }
}
