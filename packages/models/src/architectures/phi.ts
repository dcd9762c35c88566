/**
 * Phi-1, Phi-1.5 and Phi-2 (Gunasekar et al. 2023, "Textbooks Are All You Need"; Li et al. 2023). One layer norm before both blocks, which run
 * side by side on it; a rope over a part of each head (half, or 0.4 in Phi-2); a tanh-approximated GELU between two products; biases
 * everywhere, the head included.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, feedForward } from '../blocks/feed-forward.ts'
import type { HeadNorms } from '../blocks/head-norms.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig } from '../config/attention-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const phi: Architecture = {
  modelTypes: ['phi'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config)
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('layer_norm_eps', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'gelu_new')
    const hasHeadNorms = config.boolean('qk_layernorm', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 2048)
    const rope = readRope(config, { headDim, maxPositions, partialFactor: 0.5 })

    return {
      config: { modelType: 'phi', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, rope })),

      build(decoder) {
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const part = (name: string, outputs: number) => ({ name: `${name}.weight`, outputs, bias: `${name}.bias` })
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          const attention = `${name}.self_attn`
          stream.mark(layer)
          const read = stream.normalized(norm(`${name}.input_layernorm`))
          const headNorms: HeadNorms = { query: norm(`${attention}.q_layernorm`), key: norm(`${attention}.k_layernorm`), over: 'head' }
          // GGUF files that were made of the first form of the checkpoints have one weight for the three
          const isFused = decoder.weights.has(`${attention}.qkv_proj.weight`)
          const fused = [part(`${attention}.qkv_proj`, (heads + 2 * kvHeads) * headDim)]
          const separate = [
            part(`${attention}.q_proj`, heads * headDim),
            part(`${attention}.k_proj`, kvHeads * headDim),
            part(`${attention}.v_proj`, kvHeads * headDim),
          ]
          stream.add(
            selfAttention(decoder, layer, read, {
              hidden,
              projections: isFused ? fused : separate,
              output: part(`${attention}.dense`, hidden),
              ...(hasHeadNorms ? { headNorms } : {}),
            }),
          )
          stream.add(
            feedForward(decoder, read, {
              hidden,
              inner,
              activation,
              up: part(`${name}.mlp.fc1`, inner),
              down: part(`${name}.mlp.fc2`, hidden),
            }),
          )
        }
        languageModelHead(decoder, stream, {
          norm: norm('model.final_layernorm'),
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          bias: 'lm_head.bias',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['phi2'],
    config: (metadata) => ({
      model_type: 'phi',
      ...ggufDecoderConfig(metadata),
      layer_norm_eps: metadata.number('attention.layer_norm_epsilon'),
    }),
    tensor: (name) => ggufDecoderTensor(name.replace(/^model\.final_layernorm\./, 'model.norm.'), { parts: GGUF_PARTS }),
  },
}

const GGUF_PARTS: ReadonlyMap<string, string> = new Map([
  ['self_attn.qkv_proj', 'attn_qkv'],
  ['self_attn.dense', 'attn_output'],
  ['mlp.fc1', 'ffn_up'],
  ['mlp.fc2', 'ffn_down'],
])
