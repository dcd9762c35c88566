/**
 * Phi-3 and Phi-4 (Abdin et al. 2024, "Phi-3 Technical Report" and "Phi-4 Technical Report"). The shape of Llama with its projections fused
 * in the file: queries, keys and values in one weight, gate and up in another. The models with a long context turn by LongRoPE: a factor
 * for each pair, one list up to the length of the pretraining and another beyond. Phi-4-mini turns three quarters of a head and ties its head.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward } from '../blocks/feed-forward.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor, ggufWindows } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'

export const phi3: Architecture = {
  modelTypes: ['phi3'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config)
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 4096)
    refuseOtherRopes(config)
    const rope = readRope(config, { headDim, maxPositions, defaultOriginalPositions: 4096 })
    const window = config.optionalCount('sliding_window')
    const windows = readWindows(config, layers, { window, isWindowed: () => true })

    return {
      config: { modelType: 'phi3', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: windows.map((each) => ({
        heads,
        kvHeads,
        keyDim: headDim,
        valueDim: headDim,
        rope,
        ...(each === undefined ? {} : { window: each }),
      })),

      allowsRotation: true,

      build(decoder) {
        const norm = (weight: string) => ({ kind: 'rms', weight, epsilon }) as const
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const attended = stream.normalized(norm(`${name}.input_layernorm.weight`))
          stream.add(
            selfAttention(decoder, layer, attended, {
              hidden,
              projections: [{ name: `${name}.self_attn.qkv_proj.weight`, outputs: (heads + 2 * kvHeads) * headDim }],
              output: { name: `${name}.self_attn.o_proj.weight`, outputs: hidden },
            }),
          )
          const fed = stream.normalized(norm(`${name}.post_attention_layernorm.weight`))
          stream.add(
            gatedFeedForward(decoder, fed, {
              hidden,
              inner,
              activation,
              gateAndUp: [{ name: `${name}.mlp.gate_up_proj.weight`, outputs: 2 * inner }],
              down: { name: `${name}.mlp.down_proj.weight`, outputs: hidden },
            }),
          )
        }
        languageModelHead(decoder, stream, {
          norm: norm('model.norm.weight'),
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['phi3'],
    config: (metadata) => ({
      model_type: 'phi3',
      ...ggufDecoderConfig(metadata),
      ...ggufWindows(metadata),
      rope_scaling: longropeOf(metadata),
    }),
    tensor: (name) => ggufDecoderTensor(name, { parts: FUSED_PARTS }),
  },
}

const FUSED_PARTS: ReadonlyMap<string, string> = new Map([
  ['self_attn.qkv_proj', 'attn_qkv'],
  ['mlp.gate_up_proj', 'ffn_up'],
])

/** Early files call LongRoPE `su`; no other scaling was published. */
function refuseOtherRopes(config: ConfigReader): void {
  const scaling = config.object('rope_parameters') ?? config.object('rope_scaling')
  if (scaling === undefined) return
  const key = scaling.has('rope_type') ? 'rope_type' : 'type'
  const kind = scaling.string(key, 'default')
  if (!['default', 'longrope', 'su'].includes(kind)) scaling.refuse(key, JSON.stringify(kind), 'one of default, longrope, su')
}

/** The lists are tensors of the file, and nothing but them says that there is a scaling. */
function longropeOf(metadata: GgufMetadata): Record<string, unknown> | undefined {
  const short = metadata.vector('rope_factors_short.weight')
  const long = metadata.vector('rope_factors_long.weight')
  if (short === undefined || long === undefined) return undefined
  return {
    rope_type: 'longrope',
    short_factor: short,
    long_factor: long,
    original_max_position_embeddings: metadata.count('rope.scaling.original_context_length'),
    attention_factor: metadata.number('rope.scaling.attn_factor'),
  }
}
