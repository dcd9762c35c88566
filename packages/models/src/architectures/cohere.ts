/**
 * Command R and Aya (Cohere 2024), and Command R7B and Command A (Cohere et al. 2025): model types `cohere` and `cohere2`. One layer norm
 * without bias before both blocks, which run side by side on it (parallel blocks, Wang and Komatsuzaki 2021); ropes turn neighbouring elements;
 * logits are multiplied by a constant; the head is tied. The largest models of the first generation have layer norms of queries and keys with
 * a scale of their own for each head. The second has three layers with a window and a rope for each that sees everything and has none.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import type { HeadNorms } from '../blocks/head-norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor, ggufWindows } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'

export const cohere: Architecture = {
  modelTypes: ['cohere', 'cohere2'],

  describe(config) {
    const modelType = config.string('model_type')
    const isSecond = modelType === 'cohere2'
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config)
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('layer_norm_eps', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const attentionBias = config.boolean('attention_bias', false)
    const hasHeadNorms = !isSecond && config.boolean('use_qk_norm', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const scale = config.number('logit_scale', 0.0625)
    const trainedPositions = config.count('max_position_embeddings', 8192)
    // Command R was trained further than its first number says
    const maxPositions = config.optionalCount('model_max_length') ?? trainedPositions
    const defaultTheta = isSecond ? 10_000 : 500_000
    const rope = readRope(config, { headDim, maxPositions: trainedPositions, defaultTheta, isInterleaved: true })
    const pattern = config.count('sliding_window_pattern', config.count('_sliding_window_pattern', 4))
    const window = isSecond && !config.isNull('sliding_window') ? config.count('sliding_window', 4096) : undefined
    const windows = isSecond ? readWindows(config, layers, { window, isWindowed: (layer) => (layer + 1) % pattern !== 0 }) : []
    // written by the makers' own tools; the reference builds these and no others
    config.choice('position_embedding_type', ['rope_gptj'], 'rope_gptj')
    for (const key of ['use_parallel_block', 'use_gated_activation']) {
      if (!config.boolean(key, true)) config.refuse(key, 'false', 'true')
    }

    return {
      config: { modelType, layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, (_, layer) => {
        const each = windows[layer]
        return {
          heads,
          kvHeads,
          keyDim: headDim,
          valueDim: headDim,
          ...(isSecond && each === undefined ? {} : { rope }),
          ...(each === undefined ? {} : { window: each }),
        }
      }),

      build(decoder) {
        const sizes = { hidden, inner, activation }
        const norm = (weight: string) => ({ kind: 'layer', weight, epsilon }) as const
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const read = stream.normalized(norm(`${name}.input_layernorm.weight`))
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, {
            hidden,
            hasInputBias: attentionBias,
            hasOutputBias: attentionBias,
          })
          const headNorms = hasHeadNorms ? { headNorms: ownNorms(decoder, `${name}.self_attn`) } : {}
          stream.add(selfAttention(decoder, layer, read, { hidden, ...parts, ...headNorms }))
          stream.add(gatedFeedForward(decoder, read, { ...sizes, ...gatedParts(`${name}.mlp`, sizes) }))
        }
        languageModelHead(decoder, stream, {
          norm: norm('model.norm.weight'),
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
          scale,
        })
      },
    }

    function ownNorms(decoder: Decoder, prefix: string): HeadNorms {
      return {
        query: decoder.weights.vector(`${prefix}.q_norm.weight`, [heads, headDim]),
        key: decoder.weights.vector(`${prefix}.k_norm.weight`, [kvHeads, headDim]),
        over: 'own-head',
        epsilon,
      }
    }
  },

  gguf: {
    architectures: ['command-r', 'cohere2'],
    config: (metadata) => ({
      ...ggufDecoderConfig(metadata),
      ...(metadata.architecture === 'cohere2' ? { model_type: 'cohere2', ...ggufWindows(metadata) } : firstGeneration(metadata)),
      layer_norm_eps: metadata.number('attention.layer_norm_epsilon'),
      logit_scale: metadata.number('logit_scale'),
    }),
    // llama.cpp turns neighbours here too, so that nothing is permuted
    tensor: (name) => ggufDecoderTensor(name),
  },
}

function firstGeneration(metadata: GgufMetadata): Record<string, unknown> {
  return { model_type: 'cohere', use_qk_norm: metadata.has('blk.0.attn_q_norm.weight') }
}
