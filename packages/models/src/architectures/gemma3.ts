/**
 * Gemma 3 (Gemma Team 2025), the language model: alone (`gemma3_text`), or inside the checkpoints that also see images (`gemma3`), of which
 * the vision tower is passed over. As Gemma 2 without soft caps of scores, with norms on each head's query and key, five layers with a window
 * for each that sees everything, and two ropes: base 10,000 in the layers with a window, base 1,000,000 with scaling in the others.
 */
import { languageModelHead } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { type Norm, normalized } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { scaledTokenEmbeddings } from '../blocks/scaling.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor, ggufWindows, SANDWICH_NORMS } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readLayerRopes } from '../rope/layer-ropes.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'

export const gemma3: Architecture = {
  modelTypes: ['gemma3_text', 'gemma3'],

  describe(whole) {
    const modelType = whole.string('model_type')
    // published files of the multimodal models leave out what the reference assumes: every size has its default
    const config = modelType === 'gemma3' ? (whole.object('text_config') ?? whole.refuse('text_config', 'nothing', 'an object')) : whole
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { hidden: 2304, heads: 8, kvHeads: 4, headDim: 256 })
    const layers = config.count('num_hidden_layers', 26)
    const inner = config.count('intermediate_size', 9216)
    const vocab = config.count('vocab_size', 262_208)
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const activation = config.choice('hidden_activation', ACTIVATIONS, 'gelu_pytorch_tanh')
    const attentionBias = config.boolean('attention_bias', false)
    const tiedEmbeddings = whole.boolean('tie_word_embeddings', config.boolean('tie_word_embeddings', true))
    const maxPositions = config.count('max_position_embeddings', 131_072)
    const scale = config.count('query_pre_attn_scalar', 256) ** -0.5
    const logitCap = config.has('final_logit_softcapping') ? { softCap: config.positive('final_logit_softcapping') } : {}
    if (config.has('attn_logit_softcapping')) {
      config.refuse('attn_logit_softcapping', `${config.number('attn_logit_softcapping')}`, 'null: Gemma 3 has no soft cap of scores')
    }
    if (config.boolean('use_bidirectional_attention', false)) {
      config.refuse('use_bidirectional_attention', 'true', 'false: only decoders are built')
    }
    const slidingTheta = config.number('rope_local_base_freq', 10_000)
    const ropes = readLayerRopes(config, { headDim, maxPositions, defaultTheta: 1_000_000 }, slidingTheta)
    const pattern = config.count('sliding_window_pattern', config.count('_sliding_window_pattern', 6))
    const window = config.isNull('sliding_window') ? undefined : config.count('sliding_window', 4096)
    const windows = readWindows(config, layers, { window, isWindowed: (layer) => (layer + 1) % pattern !== 0 })

    return {
      config: { modelType, layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: windows.map((each) => ({
        heads,
        kvHeads,
        keyDim: headDim,
        valueDim: headDim,
        ...(each === undefined ? { rope: ropes.full } : { rope: ropes.sliding, window: each }),
      })),
      passedOver: [
        {
          // `v.` and `mm.` in GGUF files that hold both models
          names: /(^|\.)(vision_tower|multi_modal_projector)\.|^(v|mm)\./,
          reason: 'the parts that see images; this package runs the language model',
        },
      ],

      build(decoder) {
        const sizes = { hidden, inner, activation }
        const norm = (weight: string): Norm => ({ kind: 'rms', weight, epsilon, offset: 1 })
        // as first published, as written by later versions, and the language model alone
        const prefix =
          ['language_model.model.', 'model.language_model.'].find((each) => decoder.weights.has(`${each}norm.weight`)) ?? 'model.'
        const table = `${prefix}embed_tokens.weight`
        const head = decoder.weights.has('language_model.lm_head.weight') ? 'language_model.lm_head.weight' : 'lm_head.weight'
        const embeddings = scaledTokenEmbeddings(decoder, table, { vocab, hidden, factor: Math.sqrt(hidden) })
        const stream = residualStream(decoder, embeddings, hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `${prefix}layers.${layer}`
          stream.mark(layer)
          const attended = stream.normalized(norm(`${name}.input_layernorm.weight`))
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, {
            hidden,
            hasInputBias: attentionBias,
            hasOutputBias: attentionBias,
          })
          const seen = selfAttention(decoder, layer, attended, {
            hidden,
            ...parts,
            scale,
            headNorms: {
              query: norm(`${name}.self_attn.q_norm.weight`),
              key: norm(`${name}.self_attn.k_norm.weight`),
              over: 'head',
            },
          })
          stream.add(normalized(decoder, seen, norm(`${name}.post_attention_layernorm.weight`), hidden))
          const fed = stream.normalized(norm(`${name}.pre_feedforward_layernorm.weight`))
          const thought = gatedFeedForward(decoder, fed, { ...sizes, ...gatedParts(`${name}.mlp`, sizes) })
          stream.add(normalized(decoder, thought, norm(`${name}.post_feedforward_layernorm.weight`), hidden))
        }
        languageModelHead(decoder, stream, {
          norm: norm(`${prefix}norm.weight`),
          weight: tiedEmbeddings ? table : head,
          vocab,
          hidden,
          ...logitCap,
        })
      },
    }
  },

  gguf: {
    architectures: ['gemma3'],
    config: (metadata) => ({
      model_type: 'gemma3_text',
      ...ggufDecoderConfig(metadata),
      // without a window every layer sees everything
      ...(metadata.count('attention.sliding_window')
        ? { sliding_window_pattern: 6, ...ggufWindows(metadata) }
        : { sliding_window_pattern: 1 }),
      rope_local_base_freq: metadata.number('rope.freq_base_swa'),
      final_logit_softcapping: metadata.number('final_logit_softcapping'),
      query_pre_attn_scalar: queryScalar(metadata),
    }),
    tensor: (name) => ggufDecoderTensor(name, { normOffset: -1, parts: SANDWICH_NORMS }),
  },
}

/** Not in the file: the head width, but in the model of 27 billion parameters (62 layers) the width divided by the heads. */
function queryScalar(metadata: GgufMetadata): number | undefined {
  const hidden = metadata.count('embedding_length')
  const heads = metadata.count('attention.head_count')
  const isLargest = metadata.count('block_count') === 62
  return isLargest && hidden !== undefined && heads !== undefined ? hidden / heads : metadata.count('attention.key_length')
}
