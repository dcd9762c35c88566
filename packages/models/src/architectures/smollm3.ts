/**
 * SmolLM3 (Bakouch et al. 2025). As Llama, with every fourth layer without a position embedding (NoPE, Yang et al. 2025, "RoPE to NoPE and
 * Back Again"): these layers find by content alone, the others know the order, and together they carry further than the trained length.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const smollm3: Architecture = {
  modelTypes: ['smollm3'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 4 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const attentionBias = config.boolean('attention_bias', false)
    const feedForwardBias = config.boolean('mlp_bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const maxPositions = config.count('max_position_embeddings', 32_768)
    const rope = readRope(config, { headDim, maxPositions, defaultTheta: 2_000_000 })
    const hasRope = readRopeLayers(config, layers)
    const window = config.boolean('use_sliding_window', false) ? config.optionalCount('sliding_window') : undefined
    const windows = readWindows(config, layers, { window, isWindowed: (layer) => !hasRope[layer] })

    return {
      config: { modelType: 'smollm3', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: windows.map((each, layer) => ({
        heads,
        kvHeads,
        keyDim: headDim,
        valueDim: headDim,
        ...(hasRope[layer] ? { rope } : {}),
        ...(each === undefined ? {} : { window: each }),
      })),

      allowsRotation: true,

      build(decoder) {
        const sizes = { hidden, inner, activation }
        const norm = (weight: string) => ({ kind: 'rms', weight, epsilon }) as const
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
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
          stream.add(gatedFeedForward(decoder, fed, { ...sizes, ...gatedParts(`${name}.mlp`, sizes, feedForwardBias) }))
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
    architectures: ['smollm3'],
    // the interval of the layers without rope is not in the file: 4, as in llama.cpp
    config: (metadata) => ({ model_type: 'smollm3', ...ggufDecoderConfig(metadata) }),
    // as in Llama, the rows of a head's rotary pairs are side by side, in the layers without rope as well
    tensor: (name) => ggufDecoderTensor(name, { permutesRotaryPairs: true }),
  },
}

/** `no_rope_layers` holds 1 where a layer HAS a rope; without it every `no_rope_layer_interval`th layer has none. */
function readRopeLayers(config: ConfigReader, layers: number): readonly boolean[] {
  const interval = config.count('no_rope_layer_interval', 4)
  if (!config.has('no_rope_layers')) return Array.from({ length: layers }, (_, layer) => (layer + 1) % interval !== 0)
  const flags = config.numbers('no_rope_layers')
  if (flags.length < layers) config.refuse('no_rope_layers', `${flags.length} entries`, `${layers}, one for each layer`)
  return flags.slice(0, layers).map((flag) => flag !== 0)
}
