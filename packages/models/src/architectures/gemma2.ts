/**
 * Gemma 2 (Gemma Team 2024, "Gemma 2: Improving Open Language Models at a Practical Size"). As Gemma, with norms before and after both
 * blocks, layers that attend within a window in turn with layers that see everything (the first has a window), scores and logits that
 * are squashed by a tanh (soft caps), and scores divided by the square root of `query_pre_attn_scalar` instead of the head width.
 */
import { languageModelHead } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { type Norm, normalized } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { scaledTokenEmbeddings } from '../blocks/scaling.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor, ggufWindows, SANDWICH_NORMS } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'

export const gemma2: Architecture = {
  modelTypes: ['gemma2'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 4, headDim: 256 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const activation = config.choice('hidden_activation', ACTIVATIONS, 'gelu_pytorch_tanh')
    const attentionBias = config.boolean('attention_bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const maxPositions = config.count('max_position_embeddings', 8192)
    const scale = config.count('query_pre_attn_scalar', 256) ** -0.5
    const softCap = (key: string, fallback: number) => (config.isNull(key) ? {} : { softCap: config.positive(key, fallback) })
    const scoreCap = softCap('attn_logit_softcapping', 50)
    const logitCap = softCap('final_logit_softcapping', 30)
    const rope = readRope(config, { headDim, maxPositions })
    const window = config.isNull('sliding_window') ? undefined : config.count('sliding_window', 4096)
    const windows = readWindows(config, layers, { window, isWindowed: (layer) => layer % 2 === 0 })
    if (config.boolean('use_bidirectional_attention', false)) {
      config.refuse('use_bidirectional_attention', 'true', 'false: only decoders are built')
    }

    return {
      config: { modelType: 'gemma2', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: windows.map((each) => ({
        heads,
        kvHeads,
        keyDim: headDim,
        valueDim: headDim,
        rope,
        ...(each === undefined ? {} : { window: each }),
      })),

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
          const seen = selfAttention(decoder, layer, attended, { hidden, ...parts, scale, ...scoreCap })
          stream.add(normalized(decoder, seen, norm(`${name}.post_attention_layernorm.weight`), hidden))
          const fed = stream.normalized(norm(`${name}.pre_feedforward_layernorm.weight`))
          const thought = gatedFeedForward(decoder, fed, { ...sizes, ...gatedParts(`${name}.mlp`, sizes) })
          stream.add(normalized(decoder, thought, norm(`${name}.post_feedforward_layernorm.weight`), hidden))
        }
        languageModelHead(decoder, stream, {
          norm: norm('model.norm.weight'),
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
          ...logitCap,
        })
      },
    }
  },

  gguf: {
    architectures: ['gemma2'],
    config: (metadata) => ({
      model_type: 'gemma2',
      ...ggufDecoderConfig(metadata),
      ...ggufWindows(metadata),
      attn_logit_softcapping: metadata.number('attn_logit_softcapping'),
      final_logit_softcapping: metadata.number('final_logit_softcapping'),
      query_pre_attn_scalar: queryScalar(metadata),
    }),
    tensor: (name) => ggufDecoderTensor(name, { normOffset: -1, parts: SANDWICH_NORMS }),
  },
}

/** Not in the file: the head width, but in the model of 27 billion parameters (46 layers) the width divided by the heads. */
function queryScalar(metadata: GgufMetadata): number | undefined {
  const hidden = metadata.count('embedding_length')
  const heads = metadata.count('attention.head_count')
  const isLargest = metadata.count('block_count') === 46
  return isLargest && hidden !== undefined && heads !== undefined ? hidden / heads : metadata.count('attention.key_length')
}
