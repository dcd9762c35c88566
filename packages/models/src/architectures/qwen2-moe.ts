/**
 * Qwen 1.5 MoE and Qwen 2 MoE (Yang et al. 2024): Qwen 2 with a mixture of many small experts, of which a row uses a few, beside one expert
 * that every row uses, scaled by a gate of its own. The weights are shares of the softmax over all experts and sum to less than 1, unless
 * `norm_topk_prob` is set. Some layers may be dense.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { gatedExperts } from '../blocks/expert-weights.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { MIXTURE_NOTE } from '../blocks/mixture.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { routerScores, shareOfSoftmax, softmaxOfChosen } from '../blocks/routing.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { gatedSharedExpert } from '../blocks/shared-expert.ts'
import { GGUF_EXPERT_PARTS, ggufDenseLayers, ggufExpertsConfig } from '../checkpoint/gguf-experts.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readExpertsPerRow, readSparseLayers } from '../config/experts-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const qwen2Moe: Architecture = {
  modelTypes: ['qwen2_moe'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 16 })
    const layers = config.count('num_hidden_layers')
    const dense = { hidden, inner: config.count('intermediate_size'), activation: config.choice('hidden_act', ACTIVATIONS, 'silu') }
    const routed = { ...dense, inner: config.count('moe_intermediate_size', 1408) }
    const shared = { ...dense, inner: config.count('shared_expert_intermediate_size', 5632) }
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const hasInputBias = config.boolean('qkv_bias', true)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 32_768)
    const experts = config.count('num_experts', 60)
    const perRow = readExpertsPerRow(config, experts, 4)
    const route = config.boolean('norm_topk_prob', false) ? softmaxOfChosen : shareOfSoftmax
    const sparse = readSparseLayers(config, layers)
    const rope = readRope(config, { headDim, maxPositions })
    const window = config.boolean('use_sliding_window', false) ? config.count('sliding_window', 4096) : undefined
    const firstUnwindowed = window === undefined ? 0 : config.number('max_window_layers', 28)
    const windows = readWindows(config, layers, { window, isWindowed: (layer) => layer % 2 === 0 && layer < firstUnwindowed })

    return {
      config: {
        modelType: 'qwen2_moe',
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
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, { hidden, hasInputBias })
          stream.add(selfAttention(decoder, layer, attended, { hidden, ...parts }))
          const fed = stream.normalized({ kind: 'rms', weight: `${name}.post_attention_layernorm.weight`, epsilon })
          if (sparse[layer]) {
            const scores = routerScores(decoder, fed, { weight: `${name}.mlp.gate.weight`, hidden, experts })
            const prefix = `${name}.mlp.experts`
            stream.add(gatedExperts(decoder, fed, route(scores, perRow), { experts, prefix, ...routed }))
            stream.add(
              gatedSharedExpert(decoder, fed, {
                prefix: `${name}.mlp.shared_expert`,
                gate: `${name}.mlp.shared_expert_gate.weight`,
                ...shared,
              }),
            )
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
    architectures: ['qwen2moe'],
    config: (metadata) => ({
      model_type: 'qwen2_moe',
      ...ggufDecoderConfig(metadata),
      ...ggufExpertsConfig(metadata, 'num_experts'),
      mlp_only_layers: ggufDenseLayers(metadata),
      qkv_bias: metadata.has('blk.0.attn_q.bias'),
      shared_expert_intermediate_size:
        metadata.count('expert_shared_feed_forward_length') ?? metadata.shape('blk.0.ffn_gate_shexp.weight')?.[0],
    }),
    tensor: (name) => ggufDecoderTensor(name, { parts: GGUF_EXPERT_PARTS }),
  },
}
