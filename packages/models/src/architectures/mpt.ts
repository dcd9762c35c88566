/**
 * MPT (MosaicML 2023), 7B and 30B with their variants (instruct, chat, storywriter, 8k). Choices: ALiBi instead of position embeddings,
 * no biases at all (norms included), queries, keys and values in one weight, on request clipped, or normalised as whole rows.
 */
import { alibi } from '../blocks/alibi.ts'
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { feedForward } from '../blocks/feed-forward.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention } from '../blocks/self-attention.ts'
import { ggufDecoderConfig } from '../checkpoint/gguf-names.ts'
import { ggufPartNames } from '../checkpoint/gguf-part-names.ts'
import { keyAmong } from '../config/aliased-keys.ts'
import { type ConfigReader, configReader } from '../config/config-reader.ts'
import { readEqualHeads } from '../config/equal-heads.ts'
import type { Architecture } from './architecture.ts'

export const mpt: Architecture = {
  modelTypes: ['mpt'],
  optionalPrefix: 'transformer.',

  describe(config) {
    const sizes = readEqualHeads(config, { hidden: ['d_model', 'hidden_size'], heads: ['n_heads', 'num_attention_heads'] })
    const { hidden, heads, kvHeads, headDim } = sizes
    const layers = config.count(keyAmong(config, ['n_layers', 'num_hidden_layers']))
    const inner = config.number('expansion_ratio', 4) * hidden
    if (!Number.isInteger(inner) || inner <= 0) config.refuse('expansion_ratio', `${inner / hidden}`, 'a whole number of inner elements')
    const vocab = config.count('vocab_size')
    // what it was trained with; ALiBi goes on beyond it
    const maxPositions = config.count(keyAmong(config, ['max_seq_len', 'max_position_embeddings']), 2048)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    config.choice('norm_type', ['low_precision_layernorm', 'layernorm'], 'low_precision_layernorm')
    if (!config.boolean('no_bias', true)) config.refuse('no_bias', 'false', 'true: biases are not built')
    if (config.has('logit_scale')) config.refuse('logit_scale', JSON.stringify(config.parsed('logit_scale')), 'nothing: logits as they are')
    config.object('ffn_config')?.choice('ffn_type', ['mptmlp'], 'mptmlp')
    const attention = readAttention(config, heads)

    return {
      config: { modelType: 'mpt', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, alibi: attention.bias })),

      build(decoder) {
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, epsilon })
        const { clip, scale } = attention
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'transformer.wte.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `transformer.blocks.${layer}`
          stream.mark(layer)
          stream.add(
            selfAttention(decoder, layer, stream.normalized(norm(`${name}.norm_1`)), {
              hidden,
              projections: [{ name: `${name}.attn.Wqkv.weight`, outputs: 3 * hidden }],
              output: { name: `${name}.attn.out_proj.weight`, outputs: hidden },
              ...(scale === undefined ? {} : { scale }),
              ...(clip === undefined ? {} : { clip }),
              ...(attention.hasHeadNorms
                ? { headNorms: { query: norm(`${name}.attn.q_ln`), key: norm(`${name}.attn.k_ln`), over: 'all-heads' } }
                : {}),
            }),
          )
          stream.add(
            feedForward(decoder, stream.normalized(norm(`${name}.norm_2`)), {
              hidden,
              inner,
              activation: 'gelu',
              up: { name: `${name}.ffn.up_proj.weight`, outputs: inner },
              down: { name: `${name}.ffn.down_proj.weight`, outputs: hidden },
            }),
          )
        }
        languageModelHead(decoder, stream, {
          norm: norm('transformer.norm_f'),
          weight: tiedEmbeddings ? 'transformer.wte.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['mpt'],
    config(metadata) {
      const { hidden_size: hidden, ...common } = ggufDecoderConfig(metadata)
      const inner = metadata.count('feed_forward_length')
      const largestBias = metadata.number('attention.max_alibi_bias') ?? 0
      return {
        ...common,
        model_type: 'mpt',
        d_model: hidden,
        expansion_ratio: inner === undefined || typeof hidden !== 'number' ? undefined : inner / hidden,
        layer_norm_epsilon: metadata.number('attention.layer_norm_epsilon'),
        no_bias: !metadata.has('blk.0.attn_qkv.bias'),
        attn_config: {
          alibi: largestBias > 0,
          alibi_bias_max: largestBias,
          clip_qkv: metadata.number('attention.clamp_kqv'),
          kv_n_heads: metadata.count('attention.head_count_kv'),
          qk_ln: metadata.has('blk.0.attn_q_norm.weight'),
        },
      }
    },
    tensor: (name) => ggufNames(name),
  },
}

/** `attn_config`; what other MPT-like models switch on there is refused. */
function readAttention(config: ConfigReader, heads: number) {
  const attention = config.object('attn_config') ?? configReader({}, config.file, 'attn_config')
  attention.choice('attn_type', ['multihead_attention'], 'multihead_attention')
  const kvHeads = attention.optionalCount('kv_n_heads') ?? heads
  if (kvHeads !== heads) attention.refuse('kv_n_heads', `${kvHeads}`, `${heads}: groups of queries are not built`)
  if (!attention.boolean('alibi', true)) attention.refuse('alibi', 'false', 'true: other positions than those of ALiBi are not built')
  for (const key of ['prefix_lm', 'attn_uses_sequence_id', 'rope', 'qk_gn']) {
    if (attention.boolean(key, false)) attention.refuse(key, 'true', 'false: it is not built')
  }
  const window = attention.number('sliding_window_size', -1)
  if (window !== -1) attention.refuse('sliding_window_size', `${window}`, '-1: windows are not built')
  const clip = attention.optionalNumber('clip_qkv')
  if (clip !== undefined && clip <= 0) attention.refuse('clip_qkv', `${clip}`, 'a number above zero, or nothing')
  return {
    bias: alibi(heads, attention.positive('alibi_bias_max', 8)),
    clip,
    scale: attention.optionalNumber('softmax_scale'),
    hasHeadNorms: attention.boolean('qk_ln', false),
  }
}

const ggufNames = ggufPartNames({
  layers: 'transformer.blocks.',
  whole: { 'transformer.wte': 'token_embd', 'transformer.norm_f': 'output_norm', lm_head: 'output' },
  parts: {
    norm_1: 'attn_norm',
    'attn.Wqkv': 'attn_qkv',
    'attn.q_ln': 'attn_q_norm',
    'attn.k_ln': 'attn_k_norm',
    'attn.out_proj': 'attn_output',
    norm_2: 'ffn_norm',
    'ffn.up_proj': 'ffn_up',
    'ffn.down_proj': 'ffn_down',
  },
})
