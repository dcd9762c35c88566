/** llama.cpp's names for DeepSeek's latent attention and its mixtures (`deepseek2`): metadata against config.json, tensors against Hugging Face's. */
import type { GgufMetadata, GgufTensor } from '../architectures/architecture.ts'
import { GGUF_EXPERT_PARTS, ggufExpertsConfig } from './gguf-experts.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from './gguf-names.ts'

/** `expert_gating_func` of sigmoids; 1, or nothing, is a softmax. */
const SIGMOID = 2

/** DeepSeek-V2 and V3 go by one name; the way experts are scored tells them apart. */
export function hasSigmoidRouting(metadata: GgufMetadata): boolean {
  return metadata.count('expert_gating_func') === SIGMOID
}

export function ggufLatentConfig(metadata: GgufMetadata): Record<string, unknown> {
  const shared = ggufDecoderConfig(metadata)
  const rotaryDim = metadata.count('rope.dimension_count')
  // files that cache the compressed row say the widths of heads under names of their own
  const headDim = metadata.count('attention.key_length_mla') ?? metadata.count('attention.key_length')
  const further = metadata.count('nextn_predict_layers') ?? 0
  const layers = metadata.count('block_count')
  const logMultiplier = metadata.number('rope.scaling.yarn_log_multiplier')
  // 0.1 times the original's number, in float32
  const magnitude = logMultiplier === undefined ? undefined : Math.round(logMultiplier * 1e7) / 1e6
  return {
    ...shared,
    ...ggufExpertsConfig(metadata, 'n_routed_experts'),
    num_hidden_layers: layers === undefined ? undefined : layers - further,
    num_nextn_predict_layers: further,
    // the rotated part is not a share of a head here
    partial_rotary_factor: undefined,
    q_lora_rank: metadata.count('attention.q_lora_rank') ?? null,
    kv_lora_rank: metadata.count('attention.kv_lora_rank'),
    qk_rope_head_dim: rotaryDim,
    qk_nope_head_dim: headDim === undefined || rotaryDim === undefined ? undefined : headDim - rotaryDim,
    v_head_dim: metadata.count('attention.value_length_mla') ?? metadata.count('attention.value_length'),
    attention_bias: metadata.has('blk.0.attn_kv_a_mqa.bias'),
    first_k_dense_replace: metadata.count('leading_dense_block_count'),
    n_shared_experts: metadata.count('expert_shared_count') ?? 0,
    n_group: metadata.count('expert_group_count') ?? 1,
    topk_group: metadata.count('expert_group_used_count') ?? 1,
    routed_scaling_factor: metadata.number('expert_weights_scale') ?? 1,
    norm_topk_prob: metadata.get(`${metadata.architecture}.expert_weights_norm`) ?? false,
    scoring_func: hasSigmoidRouting(metadata) ? 'sigmoid' : 'softmax',
    ...(typeof shared.rope_scaling === 'object'
      ? { rope_scaling: { ...shared.rope_scaling, mscale: magnitude, mscale_all_dim: magnitude } }
      : {}),
  }
}

const PARTS: ReadonlyMap<string, string> = new Map([
  ...GGUF_EXPERT_PARTS,
  ['self_attn.q_a_proj', 'attn_q_a'],
  ['self_attn.q_a_layernorm', 'attn_q_a_norm'],
  ['self_attn.q_b_proj', 'attn_q_b'],
  ['self_attn.kv_a_proj_with_mqa', 'attn_kv_a_mqa'],
  ['self_attn.kv_a_layernorm', 'attn_kv_a_norm'],
  ['self_attn.kv_b_proj', 'attn_kv_b'],
  ['self_attn.k_b_proj', 'attn_k_b'],
  ['self_attn.v_b_proj', 'attn_v_b'],
  ['mlp.shared_experts.gate_proj', 'ffn_gate_shexp'],
  ['mlp.shared_experts.up_proj', 'ffn_up_shexp'],
  ['mlp.shared_experts.down_proj', 'ffn_down_shexp'],
])

export function ggufLatentTensor(name: string): GgufTensor | undefined {
  const [, layer] = /^model\.layers\.(\d+)\.mlp\.gate\.e_score_correction_bias$/.exec(name) ?? []
  return layer === undefined ? ggufDecoderTensor(name, { parts: PARTS }) : { name: `blk.${layer}.exp_probs_b.bias` }
}
