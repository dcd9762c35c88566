/**
 * OLMo 2 (OLMo et al. 2024, "2 OLMo 2 Furious") and OLMo 3 (Olmo et al. 2025). As Llama, with the norms moved: none before a block, one on
 * what the block adds, and norms of queries and keys over all heads as one row. OLMo 3 adds a window on three of four layers; only the
 * layers that see everything have the scaled rope.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { normalized } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor, ggufWindows, SANDWICH_NORMS } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readLayerRopes } from '../rope/layer-ropes.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const olmo2: Architecture = {
  modelTypes: ['olmo2', 'olmo3'],

  describe(config) {
    const modelType = config.string('model_type')
    const isOlmo3 = modelType === 'olmo3'
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config)
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const attentionBias = config.boolean('attention_bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 2048)
    const theta = config.object('rope_parameters')?.optionalNumber('rope_theta') ?? config.number('rope_theta', 500_000)
    const shape = { headDim, maxPositions }
    const plain = isOlmo3 ? undefined : readRope(config, shape)
    const ropes = plain === undefined ? readLayerRopes(config, { ...shape, defaultTheta: theta }, theta) : { full: plain, sliding: plain }
    const window = isOlmo3 && !config.isNull('sliding_window') ? config.count('sliding_window', 4096) : undefined
    const windows = isOlmo3 ? readWindows(config, layers, { window, isWindowed: (layer) => (layer + 1) % 4 !== 0 }) : []

    return {
      config: { modelType, layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, (_, layer) => {
        const each = windows[layer]
        const rope = each === undefined ? { rope: ropes.full } : { rope: ropes.sliding, window: each }
        return { heads, kvHeads, keyDim: headDim, valueDim: headDim, ...rope }
      }),

      build(decoder) {
        const sizes = { hidden, inner, activation }
        const norm = (weight: string) => ({ kind: 'rms', weight, epsilon }) as const
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, {
            hidden,
            hasInputBias: attentionBias,
            hasOutputBias: attentionBias,
          })
          const seen = selfAttention(decoder, layer, stream.value(), {
            hidden,
            ...parts,
            headNorms: {
              query: norm(`${name}.self_attn.q_norm.weight`),
              key: norm(`${name}.self_attn.k_norm.weight`),
              over: 'all-heads',
            },
          })
          stream.add(normalized(decoder, seen, norm(`${name}.post_attention_layernorm.weight`), hidden))
          const thought = gatedFeedForward(decoder, stream.value(), { ...sizes, ...gatedParts(`${name}.mlp`, sizes) })
          stream.add(normalized(decoder, thought, norm(`${name}.post_feedforward_layernorm.weight`), hidden))
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
    architectures: ['olmo2'],
    // llama.cpp tells the two apart by the window as well
    config: (metadata) => ({
      model_type: metadata.count('attention.sliding_window') ? 'olmo3' : 'olmo2',
      ...ggufDecoderConfig(metadata),
      ...ggufWindows(metadata),
    }),
    tensor: (name) => ggufDecoderTensor(name, { parts: SANDWICH_NORMS }),
  },
}
