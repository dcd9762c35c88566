/**
 * Granite 3 and later, dense (Granite Team 2024, "Granite 3.0 Language Models"). As Llama with four multipliers (of the embeddings, of what
 * each block adds, of the scores instead of 1 / sqrt(head width), and a divisor of the logits), as in maximal update parametrisation
 * (Yang et al. 2022), which lets small models choose the learning rate of large ones.
 */
import { languageModelHead } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { scaled, scaledTokenEmbeddings } from '../blocks/scaling.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig } from '../config/attention-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const granite: Architecture = {
  modelTypes: ['granite'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config)
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const attentionBias = config.boolean('attention_bias', false)
    const feedForwardBias = config.boolean('mlp_bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 2048)
    const rope = readRope(config, { headDim, maxPositions })
    const embeddingMultiplier = config.number('embedding_multiplier', 1)
    const residualMultiplier = config.number('residual_multiplier', 1)
    const attentionMultiplier = config.number('attention_multiplier', 1)
    const logitsScaling = config.positive('logits_scaling', 1)

    return {
      config: { modelType: 'granite', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, rope })),

      allowsRotation: true,

      build(decoder) {
        const sizes = { hidden, inner, activation }
        const norm = (weight: string) => ({ kind: 'rms', weight, epsilon }) as const
        const size = { vocab, hidden, factor: embeddingMultiplier }
        const stream = residualStream(decoder, scaledTokenEmbeddings(decoder, 'model.embed_tokens.weight', size), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const attended = stream.normalized(norm(`${name}.input_layernorm.weight`))
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, {
            hidden,
            hasInputBias: attentionBias,
            hasOutputBias: attentionBias,
          })
          const seen = selfAttention(decoder, layer, attended, { hidden, ...parts, scale: attentionMultiplier })
          stream.add(scaled(seen, residualMultiplier))
          const fed = stream.normalized(norm(`${name}.post_attention_layernorm.weight`))
          const thought = gatedFeedForward(decoder, fed, { ...sizes, ...gatedParts(`${name}.mlp`, sizes, feedForwardBias) })
          stream.add(scaled(thought, residualMultiplier))
        }
        languageModelHead(decoder, stream, {
          norm: norm('model.norm.weight'),
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
          scale: 1 / logitsScaling,
        })
      },
    }
  },

  gguf: {
    architectures: ['granite'],
    config: (metadata) => ({
      model_type: 'granite',
      ...ggufDecoderConfig(metadata),
      embedding_multiplier: metadata.number('embedding_scale'),
      residual_multiplier: metadata.number('residual_scale'),
      attention_multiplier: metadata.number('attention.scale'),
      logits_scaling: metadata.number('logit_scale'),
    }),
    tensor: (name) => ggufDecoderTensor(name, { permutesRotaryPairs: true }),
  },
}
