/**
 * OLMo 1 (Groeneveld et al. 2024, "OLMo: Accelerating the Science of Language Models"): 1B and 7B with their variants. As Llama, with layer
 * norms that have neither scale nor bias, and queries, keys and values clipped where the configuration says so.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig } from '../config/attention-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

/** No key of config.json holds the epsilon. */
const NORM: Norm = { kind: 'layer', epsilon: 1e-5 }

export const olmo: Architecture = {
  modelTypes: ['olmo'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config)
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 2048)
    const rope = readRope(config, { headDim, maxPositions })
    const clip = config.has('clip_qkv') ? config.positive('clip_qkv') : undefined
    if (config.boolean('attention_bias', false)) config.refuse('attention_bias', 'true', 'false: biases are not built')

    return {
      config: { modelType: 'olmo', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, rope })),

      build(decoder) {
        const sizes = { hidden, inner, activation }
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, { hidden })
          const limits = clip === undefined ? {} : { clip }
          stream.add(selfAttention(decoder, layer, stream.normalized(NORM), { hidden, ...parts, ...limits }))
          stream.add(gatedFeedForward(decoder, stream.normalized(NORM), { ...sizes, ...gatedParts(`${name}.mlp`, sizes) }))
        }
        languageModelHead(decoder, stream, {
          norm: NORM,
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['olmo'],
    // llama.cpp clips where the number is above zero
    config: (metadata) => ({
      model_type: 'olmo',
      ...ggufDecoderConfig(metadata),
      clip_qkv: metadata.number('attention.clamp_kqv') || undefined,
    }),
    tensor: (name) => ggufDecoderTensor(name, { permutesRotaryPairs: true }),
  },
}
