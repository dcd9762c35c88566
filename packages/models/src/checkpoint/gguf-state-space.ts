/** llama.cpp's names for state-space models: metadata keys against config.json, tensor names against Hugging Face's. */
import type { GgufMetadata, GgufTensor } from '../architectures/architecture.ts'

/** What Mamba and Mamba-2 have in common. */
export function ggufStateSpaceConfig(metadata: GgufMetadata): Record<string, unknown> {
  return {
    hidden_size: metadata.count('embedding_length'),
    num_hidden_layers: metadata.count('block_count'),
    vocab_size: metadata.shape('token_embd.weight')?.[0],
    intermediate_size: metadata.count('ssm.inner_size'),
    state_size: metadata.count('ssm.state_size'),
    conv_kernel: metadata.count('ssm.conv_kernel'),
    layer_norm_epsilon: metadata.number('attention.layer_norm_rms_epsilon'),
    use_conv_bias: metadata.has('blk.0.ssm_conv1d.bias'),
    tie_word_embeddings: !metadata.has('output.weight'),
  }
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['backbone.embeddings.weight', 'token_embd.weight'],
  ['backbone.norm_f.weight', 'output_norm.weight'],
  ['lm_head.weight', 'output.weight'],
])

const PER_LAYER: ReadonlyMap<string, string> = new Map([
  ['norm.weight', 'attn_norm.weight'],
  ['mixer.in_proj.weight', 'ssm_in.weight'],
  ['mixer.conv1d.weight', 'ssm_conv1d.weight'],
  ['mixer.conv1d.bias', 'ssm_conv1d.bias'],
  ['mixer.x_proj.weight', 'ssm_x.weight'],
  ['mixer.dt_proj.weight', 'ssm_dt.weight'],
  ['mixer.dt_proj.bias', 'ssm_dt.bias'],
  ['mixer.dt_bias', 'ssm_dt.bias'],
  // A itself, where Hugging Face has A_log: an architecture asks for the one that is there
  ['mixer.A', 'ssm_a'],
  ['mixer.D', 'ssm_d'],
  ['mixer.norm.weight', 'ssm_norm.weight'],
  ['mixer.out_proj.weight', 'ssm_out.weight'],
])

const LAYER_NAME = /^backbone\.layers\.(\d+)\.(.+)$/

/** @param name  a name of Hugging Face's, e.g. `backbone.layers.3.mixer.in_proj.weight` */
export function ggufStateSpaceTensor(name: string): GgufTensor | undefined {
  const [, layer, part] = LAYER_NAME.exec(name) ?? []
  const found = part === undefined ? NAMES.get(name) : PER_LAYER.get(part)
  if (found === undefined) return undefined
  return { name: layer === undefined ? found : `blk.${layer}.${found}` }
}
