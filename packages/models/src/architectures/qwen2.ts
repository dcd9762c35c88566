/**
 * Qwen 2 and 2.5 (Yang et al. 2024). As Llama, with biases on the query, key and value projections, and a sliding window on the
 * layers from `max_window_layers` on when `use_sliding_window` is set.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const qwen2: Architecture = {
  modelTypes: ['qwen2'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 32 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 32_768)
    const rope = readRope(config, { headDim, maxPositions })
    const window = config.boolean('use_sliding_window', false) ? config.count('sliding_window', 4096) : undefined
    const firstWindowed = window === undefined ? layers : config.number('max_window_layers', 28)
    const windows = readWindows(config, layers, { window, isWindowed: (layer) => layer >= firstWindowed })

    return {
      config: {
        modelType: 'qwen2',
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
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, { hidden, hasInputBias: true })
          stream.add(selfAttention(decoder, layer, attended, { hidden, ...parts }))
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
    architectures: ['qwen2'],
    config: (metadata) => ({ model_type: 'qwen2', ...ggufDecoderConfig(metadata) }),
    tensor: (name) => ggufDecoderTensor(name),
  },
}
