/**
 * StableLM 3B, StableLM 2 and Stable Code (Bellagente et al. 2024, "Stable LM 2 1.6B Technical Report"). As Llama with layer norms that have
 * biases and a rope over a quarter of each head. The 1.6B has biases of queries, keys and values; the 12B has layer norms of queries and keys
 * with a scale for each head, and runs both blocks side by side on one norm.
 */
import { concat, reshape } from '@foretoken/graph'
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import type { HeadNorms } from '../blocks/head-norms.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig } from '../config/attention-config.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const stablelm: Architecture = {
  modelTypes: ['stablelm'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 32 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('layer_norm_eps', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const hasInputBias = config.boolean('use_qkv_bias', false)
    const hasHeadNorms = config.boolean('qk_layernorm', false)
    const isParallel = config.boolean('use_parallel_residual', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 4096)
    const rope = readRope(config, { headDim, maxPositions, partialFactor: 0.25 })

    return {
      config: { modelType: 'stablelm', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, rope })),

      build(decoder) {
        const sizes = { hidden, inner, activation }
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const attended = stream.normalized(norm(`${name}.input_layernorm`))
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, { hidden, hasInputBias })
          const headNorms = hasHeadNorms ? { headNorms: ownNorms(decoder, `${name}.self_attn`) } : {}
          stream.add(selfAttention(decoder, layer, attended, { hidden, ...parts, ...headNorms }))
          const fed = isParallel ? attended : stream.normalized(norm(`${name}.post_attention_layernorm`))
          stream.add(gatedFeedForward(decoder, fed, { ...sizes, ...gatedParts(`${name}.mlp`, sizes) }))
        }
        languageModelHead(decoder, stream, {
          norm: norm('model.norm'),
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }

    function ownNorms(decoder: Decoder, prefix: string): HeadNorms {
      return {
        query: headScales(decoder, `${prefix}.q_layernorm`, heads),
        key: headScales(decoder, `${prefix}.k_layernorm`, kvHeads),
        over: 'own-head',
        epsilon,
      }
    }

    /** [count, headDim]: one tensor for each head, or, in GGUF files, one for all. */
    function headScales(decoder: Decoder, name: string, count: number) {
      if (decoder.weights.has(`${name}.weight`)) return decoder.weights.vector(`${name}.weight`, [count, headDim])
      const each = Array.from({ length: count }, (_, head) => decoder.weights.vector(`${name}.norms.${head}.weight`, [headDim]))
      return reshape(concat(each, { axis: 0 }), [count, headDim])
    }
  },

  gguf: {
    architectures: ['stablelm'],
    config: (metadata) => ({
      model_type: 'stablelm',
      ...ggufDecoderConfig(metadata),
      layer_norm_eps: metadata.number('attention.layer_norm_epsilon'),
      use_qkv_bias: metadata.has('blk.0.attn_q.bias'),
      qk_layernorm: metadata.has('blk.0.attn_q_norm.weight'),
      // what the files say of it is not to be relied on: llama.cpp looks for the second norm as well
      use_parallel_residual: !metadata.has('blk.0.ffn_norm.weight'),
    }),
    tensor: (name) => ggufDecoderTensor(name, { parts: HEAD_NORMS }),
  },
}

const HEAD_NORMS: ReadonlyMap<string, string> = new Map([
  ['self_attn.q_layernorm', 'attn_q_norm'],
  ['self_attn.k_layernorm', 'attn_k_norm'],
])
