/**
 * Qwen 3 MoE (Yang et al. 2025): Qwen 3 with a mixture of 128 small experts in the place of the feed-forward block, of which a row uses
 * eight; no shared expert. Published files set `norm_topk_prob`: the weights of the chosen experts sum to 1. Some layers may be dense.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { gatedExperts } from '../blocks/expert-weights.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { MIXTURE_NOTE } from '../blocks/mixture.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { routerScores, shareOfSoftmax, softmaxOfChosen } from '../blocks/routing.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { GGUF_EXPERT_PARTS, ggufDenseLayers, ggufExpertsConfig } from '../checkpoint/gguf-experts.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readExpertsPerRow, readSparseLayers } from '../config/experts-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const qwen3Moe: Architecture = {
  modelTypes: ['qwen3_moe'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 4 })
    const layers = config.count('num_hidden_layers')
    const dense = { hidden, inner: config.count('intermediate_size'), activation: config.choice('hidden_act', ACTIVATIONS, 'silu') }
    const routed = { ...dense, inner: config.count('moe_intermediate_size', 768) }
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const attentionBias = config.boolean('attention_bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 32_768)
    const experts = config.count('num_experts', 128)
    const perRow = readExpertsPerRow(config, experts, 8)
    const route = config.boolean('norm_topk_prob', false) ? softmaxOfChosen : shareOfSoftmax
    const sparse = readSparseLayers(config, layers)
    const rope = readRope(config, { headDim, maxPositions })
    const window = config.boolean('use_sliding_window', false) ? config.count('sliding_window', 4096) : undefined
    const windows = readWindows(config, layers, { window, isWindowed: () => true })

    return {
      config: {
        modelType: 'qwen3_moe',
        layers,
        hidden,
        heads,
        kvHeads,
        headDim,
        vocab,
        maxPositions,
        tiedEmbeddings,
      },
      layers: windows.map((each) => ({
        heads,
        kvHeads,
        keyDim: headDim,
        valueDim: headDim,
        rope,
        ...(each === undefined ? {} : { window: each }),
      })),
      notes: [MIXTURE_NOTE],

      allowsRotation: true,

      build(decoder) {
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const attended = stream.normalized({ kind: 'rms', weight: `${name}.input_layernorm.weight`, epsilon })
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, {
            hidden,
            hasInputBias: attentionBias,
            hasOutputBias: attentionBias,
          })
          stream.add(
            selfAttention(decoder, layer, attended, {
              hidden,
              ...parts,
              headNorms: {
                query: { kind: 'rms', weight: `${name}.self_attn.q_norm.weight`, epsilon },
                key: { kind: 'rms', weight: `${name}.self_attn.k_norm.weight`, epsilon },
                over: 'head',
              },
            }),
          )
          const fed = stream.normalized({ kind: 'rms', weight: `${name}.post_attention_layernorm.weight`, epsilon })
          if (sparse[layer]) {
            const scores = routerScores(decoder, fed, { weight: `${name}.mlp.gate.weight`, hidden, experts })
            const prefix = `${name}.mlp.experts`
            stream.add(gatedExperts(decoder, fed, route(scores, perRow), { experts, prefix, ...routed }))
          } else {
            stream.add(gatedFeedForward(decoder, fed, { ...dense, ...gatedParts(`${name}.mlp`, dense) }))
          }
        }
        languageModelHead(decoder, stream, {
          norm: { kind: 'rms', weight: 'model.norm.weight', epsilon },
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['qwen3moe'],
    config: (metadata) => ({
      model_type: 'qwen3_moe',
      ...ggufDecoderConfig(metadata),
      ...ggufExpertsConfig(metadata, 'num_experts'),
      mlp_only_layers: ggufDenseLayers(metadata),
      // llama.cpp always lets the weights sum to 1 here
      norm_topk_prob: true,
    }),
    tensor: (name) => ggufDecoderTensor(name, { parts: GGUF_EXPERT_PARTS }),
  },
}
