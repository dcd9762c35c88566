/**
 * Qwen 3 (Yang et al. 2025). As Qwen 2 with a head width of its own, norms on each head's query and key before the rotary
 * embedding, and no biases unless the configuration asks for them.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const qwen3: Architecture = {
  modelTypes: ['qwen3'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 32, headDim: 128 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const attentionBias = config.boolean('attention_bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 32_768)
    const rope = readRope(config, { headDim, maxPositions })
    const window = config.boolean('use_sliding_window', false) ? config.count('sliding_window', 4096) : undefined
    const firstWindowed = window === undefined ? layers : config.number('max_window_layers', 28)
    const windows = readWindows(config, layers, { window, isWindowed: (layer) => layer >= firstWindowed })

    return {
      config: {
        modelType: 'qwen3',
        layers,
        hidden,
        heads,
        kvHeads,
        headDim,
        vocab,
        maxPositions,
        tiedEmbeddings,
      },
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
        const sizes = { hidden, inner, activation }
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const attended = stream.normalized({ kind: 'rms', weight: `${name}.input_layernorm.weight`, epsilon })
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, {
            hidden,
            hasInputBias: attentionBias,
            hasOutputBias: attentionBias,
          })
          stream.add(
            selfAttention(decoder, layer, attended, {
              hidden,
              ...parts,
              headNorms: {
                query: { kind: 'rms', weight: `${name}.self_attn.q_norm.weight`, epsilon },
                key: { kind: 'rms', weight: `${name}.self_attn.k_norm.weight`, epsilon },
                over: 'head',
              },
            }),
          )
          const fed = stream.normalized({ kind: 'rms', weight: `${name}.post_attention_layernorm.weight`, epsilon })
          stream.add(gatedFeedForward(decoder, fed, { ...sizes, ...gatedParts(`${name}.mlp`, sizes) }))
        }
        languageModelHead(decoder, stream, {
          norm: { kind: 'rms', weight: 'model.norm.weight', epsilon },
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['qwen3'],
    config: (metadata) => ({ model_type: 'qwen3', ...ggufDecoderConfig(metadata) }),
    tensor: (name) => ggufDecoderTensor(name),
  },
}
