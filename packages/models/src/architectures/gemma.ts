/**
 * Gemma (Gemma Team 2024, "Gemma: Open Models Based on Gemini Research and Technology"). As Llama, with embeddings times the square root
 * of the width, norms whose scales are stored around zero, a tanh-approximated GELU as the gate, a head width of its own (256, also where
 * heads times that is not the width), and a head that is tied to the embeddings. The square root is rounded to float32, as the reference and
 * llama.cpp round it when they compute in float32; in bfloat16 the reference rounds it to that, 55.5 instead of 55.4256 for a width of 3,072.
 */
import { languageModelHead } from '../blocks/embeddings.ts'
import { ACTIVATIONS, type Activation, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { scaledTokenEmbeddings } from '../blocks/scaling.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig } from '../config/attention-config.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const gemma: Architecture = {
  modelTypes: ['gemma'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 16, headDim: 256 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const activation = readActivation(config)
    const attentionBias = config.boolean('attention_bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const maxPositions = config.count('max_position_embeddings', 8192)
    const rope = readRope(config, { headDim, maxPositions })
    if (config.boolean('use_bidirectional_attention', false)) {
      config.refuse('use_bidirectional_attention', 'true', 'false: only decoders are built')
    }

    return {
      config: { modelType: 'gemma', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, rope })),

      allowsRotation: true,

      build(decoder) {
        const sizes = { hidden, inner, activation }
        const norm = (weight: string): Norm => ({ kind: 'rms', weight, epsilon, offset: 1 })
        const embeddings = scaledTokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden, factor: Math.sqrt(hidden) })
        const stream = residualStream(decoder, embeddings, hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const attended = stream.normalized(norm(`${name}.input_layernorm.weight`))
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, {
            hidden,
            hasInputBias: attentionBias,
            hasOutputBias: attentionBias,
          })
          stream.add(selfAttention(decoder, layer, attended, { hidden, ...parts }))
          const fed = stream.normalized(norm(`${name}.post_attention_layernorm.weight`))
          stream.add(gatedFeedForward(decoder, fed, { ...sizes, ...gatedParts(`${name}.mlp`, sizes) }))
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
    architectures: ['gemma'],
    config: (metadata) => ({ model_type: 'gemma', ...ggufDecoderConfig(metadata) }),
    tensor: (name) => ggufDecoderTensor(name, { normOffset: -1 }),
  },
}

/** Files have `hidden_activation`, `hidden_act` or both; the first released ones write `gelu` and mean its tanh approximation. */
function readActivation(config: ConfigReader): Activation {
  const named = config.choice('hidden_activation', ACTIVATIONS, config.choice('hidden_act', ACTIVATIONS, 'gelu_pytorch_tanh'))
  return named === 'gelu' ? 'gelu_pytorch_tanh' : named
}
