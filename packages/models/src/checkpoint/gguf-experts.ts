/**
 * llama.cpp's names for mixtures of experts: metadata keys against config.json, tensors against Hugging Face's. All experts of a layer lie in
 * one tensor for each matrix (`ffn_gate_exps`); files from before April 2024 have one for each expert (`ffn_gate.0`).
 */
import type { GgufMetadata, GgufTensor } from '../architectures/architecture.ts'

/** Hugging Face's names for the parts of a layer to llama.cpp's. */
export const GGUF_EXPERT_PARTS: ReadonlyMap<string, string> = new Map([
  ['mlp.gate', 'ffn_gate_inp'],
  ['mlp.experts.gate_proj', 'ffn_gate_exps'],
  ['mlp.experts.up_proj', 'ffn_up_exps'],
  ['mlp.experts.down_proj', 'ffn_down_exps'],
  ['mlp.shared_expert_gate', 'ffn_gate_inp_shexp'],
  ['mlp.shared_expert.gate_proj', 'ffn_gate_shexp'],
  ['mlp.shared_expert.up_proj', 'ffn_up_shexp'],
  ['mlp.shared_expert.down_proj', 'ffn_down_shexp'],
])

/** Whether the file describes a mixture. */
export function hasGgufExperts(metadata: GgufMetadata): boolean {
  return (metadata.count('expert_count') ?? 0) > 0
}

/** @param experts  what config.json of the model type calls the number of experts */
export function ggufExpertsConfig(metadata: GgufMetadata, experts: string): Record<string, unknown> {
  return {
    [experts]: metadata.count('expert_count'),
    num_experts_per_tok: metadata.count('expert_used_count'),
    // [experts, inner, hidden]
    moe_intermediate_size: metadata.count('expert_feed_forward_length') ?? metadata.shape('blk.0.ffn_gate_exps.weight')?.[1],
  }
}

/** The layers without a router. */
export function ggufDenseLayers(metadata: GgufMetadata): readonly number[] {
  const layers = Array.from({ length: metadata.count('block_count') ?? 0 }, (_, layer) => layer)
  return layers.filter((layer) => !metadata.has(`blk.${layer}.ffn_gate_inp.weight`))
}

const SINGLE_EXPERT = /^model\.layers\.(\d+)\.mlp\.experts\.(\d+)\.(w1|w2|w3)\.weight$/
const SINGLE_NAMES: ReadonlyMap<string, string> = new Map([
  ['w1', 'ffn_gate'],
  ['w2', 'ffn_down'],
  ['w3', 'ffn_up'],
])

/** The tensor of a single expert of Mixtral in an older file. */
export function ggufSingleExpert(name: string): GgufTensor | undefined {
  const [, layer, expert, matrix = ''] = SINGLE_EXPERT.exec(name) ?? []
  const found = SINGLE_NAMES.get(matrix)
  return found === undefined ? undefined : { name: `blk.${layer}.${found}.${expert}.weight` }
}
