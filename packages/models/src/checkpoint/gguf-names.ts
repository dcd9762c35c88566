/**
 * llama.cpp's names for the parts of a decoder: metadata keys against config.json, tensor names against Hugging Face's.
 * Architectures that have more than this add to it in their own files.
 */
import type { GgufMetadata, GgufTensor } from '../architectures/architecture.ts'

/** The parts that nearly all decoders have, as config.json calls them. */
export function ggufDecoderConfig(metadata: GgufMetadata): Record<string, unknown> {
  const heads = metadata.count('attention.head_count')
  const hidden = metadata.count('embedding_length')
  const headDim = metadata.count('attention.key_length') ?? (heads === undefined || hidden === undefined ? undefined : hidden / heads)
  const rotaryDim = metadata.count('rope.dimension_count')
  return {
    hidden_size: hidden,
    intermediate_size: metadata.count('feed_forward_length'),
    num_hidden_layers: metadata.count('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: metadata.count('attention.head_count_kv') ?? heads,
    head_dim: headDim,
    // the table says what is there; `vocab_size` in the metadata is optional
    vocab_size: metadata.shape('token_embd.weight')?.[0],
    max_position_embeddings: metadata.count('context_length'),
    rms_norm_eps: metadata.number('attention.layer_norm_rms_epsilon'),
    rope_theta: metadata.number('rope.freq_base'),
    ...(rotaryDim === undefined || headDim === undefined ? {} : { partial_rotary_factor: rotaryDim / headDim }),
    rope_scaling: ggufRopeScaling(metadata),
    tie_word_embeddings: !metadata.has('output.weight'),
    attention_bias: metadata.has('blk.0.attn_q.bias'),
    mlp_bias: metadata.has('blk.0.ffn_up.bias'),
  }
}

function ggufRopeScaling(metadata: GgufMetadata): Record<string, unknown> | undefined {
  const factors = metadata.vector('rope_freqs.weight')
  // Llama 3's bands come as one divisor for each pair: the same as longrope with both lists equal and no attention factor
  if (factors !== undefined) return { rope_type: 'longrope', short_factor: factors, long_factor: factors, attention_factor: 1 }
  const kind = metadata.string('rope.scaling.type')
  if (kind === undefined || kind === 'none') return undefined
  return {
    rope_type: kind,
    factor: metadata.number('rope.scaling.factor'),
    original_max_position_embeddings: metadata.count('rope.scaling.original_context_length'),
    attention_factor: metadata.number('rope.scaling.attn_factor') ?? metadata.number('rope.scaling.yarn_attn_factor'),
    beta_fast: metadata.number('rope.scaling.yarn_beta_fast'),
    beta_slow: metadata.number('rope.scaling.yarn_beta_slow'),
    ...(kind === 'longrope'
      ? { long_factor: metadata.vector('rope_factors_long.weight'), short_factor: metadata.vector('rope_factors_short.weight') }
      : {}),
  }
}

const WHOLE_MODEL: ReadonlyMap<string, string> = new Map([
  ['model.embed_tokens', 'token_embd'],
  ['model.norm', 'output_norm'],
  ['lm_head', 'output'],
])

const PER_LAYER: ReadonlyMap<string, string> = new Map([
  ['input_layernorm', 'attn_norm'],
  ['self_attn.q_proj', 'attn_q'],
  ['self_attn.k_proj', 'attn_k'],
  ['self_attn.v_proj', 'attn_v'],
  ['self_attn.o_proj', 'attn_output'],
  ['self_attn.q_norm', 'attn_q_norm'],
  ['self_attn.k_norm', 'attn_k_norm'],
  ['post_attention_layernorm', 'ffn_norm'],
  ['mlp.gate_proj', 'ffn_gate'],
  ['mlp.up_proj', 'ffn_up'],
  ['mlp.down_proj', 'ffn_down'],
])

const LAYER_NAME = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/

export interface GgufNaming {
  readonly permutesRotaryPairs?: boolean
  /** Parts of a layer that are called otherwise than in most decoders, or that most do not have: Hugging Face's name to llama.cpp's. */
  readonly parts?: ReadonlyMap<string, string>
  /** Added to the stored scales of all norms to get Hugging Face's: llama.cpp folds the 1 of Gemma's norms into them. */
  readonly normOffset?: number
}

/** Parts of layers that have norms after their blocks: the norm before the feed-forward block is then the one called `ffn_norm`. */
export const SANDWICH_NORMS: ReadonlyMap<string, string> = new Map([
  ['post_attention_layernorm', 'post_attention_norm'],
  ['pre_feedforward_layernorm', 'ffn_norm'],
  ['post_feedforward_layernorm', 'post_ffw_norm'],
])

/** Windows of layers in the words of config.json: the width, and which layers have it where the file says that itself. */
export function ggufWindows(metadata: GgufMetadata): Record<string, unknown> {
  const pattern = metadata.get(`${metadata.architecture}.attention.sliding_window_pattern`)
  return {
    sliding_window: metadata.count('attention.sliding_window') || undefined,
    ...(typeof pattern === 'number' ? { sliding_window_pattern: pattern } : {}),
    ...(Array.isArray(pattern) ? { layer_types: pattern.map((isWindowed) => (isWindowed ? 'sliding_attention' : 'full_attention')) } : {}),
  }
}

/** @param name  a name of Hugging Face's, e.g. `model.layers.3.self_attn.q_proj.weight` */
export function ggufDecoderTensor(name: string, options: GgufNaming = {}): GgufTensor | undefined {
  const match = LAYER_NAME.exec(name)
  if (match === null) {
    const dot = name.lastIndexOf('.')
    const whole = WHOLE_MODEL.get(name.slice(0, dot))
    return whole === undefined ? undefined : { name: `${whole}${name.slice(dot)}`, ...offsetOf(name, options) }
  }
  const [, layer, part, kind] = match
  const found = part === undefined ? undefined : (options.parts?.get(part) ?? PER_LAYER.get(part))
  if (found === undefined) return undefined
  const tensor = { name: `blk.${layer}.${found}.${kind}`, ...offsetOf(name, options) }
  if (!options.permutesRotaryPairs) return tensor
  if (part === 'self_attn.q_proj') return { ...tensor, permutedHeads: 'heads' }
  if (part === 'self_attn.k_proj') return { ...tensor, permutedHeads: 'kvHeads' }
  return tensor
}

function offsetOf(name: string, { normOffset }: GgufNaming): { readonly offset?: number } {
  return normOffset !== undefined && name.endsWith('norm.weight') ? { offset: normOffset } : {}
}
