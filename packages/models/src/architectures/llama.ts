/**
 * Llama 1 to 3.x and everything of its shape (SmolLM 2, TinyLlama, Tucano), and Mistral, which adds a sliding window.
 * Touvron et al. 2023; Jiang et al. 2023. Choices: RMSNorm before each block, rotary embedding in halves, grouped key/value
 * heads, SwiGLU, no biases unless the configuration asks for them.
 */

import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { hasGgufExperts } from '../checkpoint/gguf-experts.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const llama: Architecture = {
  modelTypes: ['llama', 'mistral'],

  describe(config) {
    const isMistral = config.string('model_type') === 'mistral'
    const attention = readAttentionConfig(config, isMistral ? { kvHeads: 8 } : {})
    const { hidden, heads, kvHeads, headDim } = attention
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const attentionBias = config.boolean('attention_bias', false)
    const feedForwardBias = config.boolean('mlp_bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', isMistral ? 131_072 : 2048)
    const rope = readRope(config, { headDim, maxPositions })
    const window = isMistral && !config.isNull('sliding_window') ? config.count('sliding_window', 4096) : undefined
    const windows = readWindows(config, layers, { window, isWindowed: () => true })

    return {
      config: {
        modelType: config.string('model_type'),
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
          stream.add(selfAttention(decoder, layer, attended, { hidden, ...parts }))
          const fed = stream.normalized({ kind: 'rms', weight: `${name}.post_attention_layernorm.weight`, epsilon })
          stream.add(gatedFeedForward(decoder, fed, { ...sizes, ...gatedParts(`${name}.mlp`, sizes, feedForwardBias) }))
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
    architectures: ['llama'],
    appliesTo: (metadata) => !hasGgufExperts(metadata),
    config: (metadata) => ({ model_type: 'llama', ...ggufDecoderConfig(metadata) }),
    // llama.cpp turns neighbouring elements, so it stores the rows of a head's rotary pairs side by side
    tensor: (name) => ggufDecoderTensor(name, { permutesRotaryPairs: true }),
  },
}
