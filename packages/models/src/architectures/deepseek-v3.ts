/**
 * DeepSeek-V3 and R1 (DeepSeek-AI 2024), and models of its form (Moonlight). Multi-head latent attention: one compressed row and one rotated key are
 * cached for all heads (`blocks/latent-attention.ts`). After a few dense layers every feed-forward block is a mixture: experts are chosen by corrected
 * sigmoids within the best groups, beside experts that every row uses. Rotary pairs are neighbours; YaRN's magnitude scales the scores.
 * The layers behind the last one that predict further tokens at once are known and not used.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { gatedExperts } from '../blocks/expert-weights.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { latentAttention, latentLayer } from '../blocks/latent-attention.ts'
import { latentExpansion } from '../blocks/latent-expansion.ts'
import { MIXTURE_NOTE } from '../blocks/mixture.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { routerScores, sigmoidRouting } from '../blocks/routing.ts'
import { ggufLatentConfig, ggufLatentTensor, hasSigmoidRouting } from '../checkpoint/gguf-latent.ts'
import { readExpertsPerRow, readGroups } from '../config/experts-config.ts'
import { readLatentScale, readLatentSizes, readQueryRank } from '../config/latent-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

/** The norms of compressed rows have a constant of their own. */
const LATENT_EPSILON = 1e-6

export const deepseekV3: Architecture = {
  modelTypes: ['deepseek_v3'],

  describe(config) {
    const hidden = config.count('hidden_size')
    const sizes = readLatentSizes(config)
    const { heads, rank, plainDim, rotaryDim } = sizes
    const headDim = plainDim + rotaryDim
    const queryRank = readQueryRank(config)
    const attentionBias = config.boolean('attention_bias', false)
    const layers = config.count('num_hidden_layers')
    const dense = { hidden, inner: config.count('intermediate_size'), activation: config.choice('hidden_act', ACTIVATIONS, 'silu') }
    const routed = { ...dense, inner: config.count('moe_intermediate_size', 2048) }
    const sharedExperts = config.isNull('n_shared_experts') ? 0 : config.number('n_shared_experts', 1)
    const shared = { ...dense, inner: sharedExperts * routed.inner }
    const denseLayers = config.number('first_k_dense_replace', 3)
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 4096)
    const experts = config.count('n_routed_experts', 256)
    const perRow = readExpertsPerRow(config, experts, 8)
    const limits = { experts, ...readGroups(config, experts, { groups: 8, groupsPerRow: 4 }) }
    const normalizes = config.boolean('norm_topk_prob', true)
    const factor = config.number('routed_scaling_factor', 2.5)
    // what the published configurations say beside the reference's own keys
    config.choice('scoring_func', ['sigmoid'], 'sigmoid')
    config.choice('topk_method', ['noaux_tc'], 'noaux_tc')
    if (config.number('moe_layer_freq', 1) !== 1) config.refuse('moe_layer_freq', `${config.number('moe_layer_freq')}`, '1')
    const isInterleaved = config.boolean('rope_interleave', true)
    const rope = readRope(config, { headDim: rotaryDim, maxPositions, isInterleaved })
    const scale = readLatentScale(config, sizes)
    const furtherLayers = config.number('num_nextn_predict_layers', 0)

    return {
      config: {
        modelType: 'deepseek_v3',
        layers,
        hidden,
        heads,
        kvHeads: 1,
        headDim,
        vocab,
        maxPositions,
        tiedEmbeddings,
      },
      layers: Array.from({ length: layers }, () => latentLayer(sizes, rope)),
      notes: [MIXTURE_NOTE, `the cache holds one compressed row of ${rank + rotaryDim} numbers for each token and layer, for all heads`],
      passedOver: furtherTokenLayers(layers, furtherLayers),

      build(decoder) {
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          const attention = `${name}.self_attn`
          const part = (projection: string, outputs: number, hasBias = false) => ({
            name: `${attention}.${projection}.weight`,
            outputs,
            ...(hasBias ? { bias: `${attention}.${projection}.bias` } : {}),
          })
          stream.mark(layer)
          const attended = stream.normalized({ kind: 'rms', weight: `${name}.input_layernorm.weight`, epsilon })
          stream.add(
            latentAttention(decoder, layer, attended, {
              ...sizes,
              hidden,
              ...(queryRank === undefined
                ? { queryUp: part('q_proj', heads * headDim) }
                : {
                    query: {
                      rank: queryRank,
                      norm: { kind: 'rms', weight: `${attention}.q_a_layernorm.weight`, epsilon: LATENT_EPSILON },
                      down: part('q_a_proj', queryRank, attentionBias),
                    },
                    queryUp: part('q_b_proj', heads * headDim),
                  }),
              compression: part('kv_a_proj_with_mqa', rank + rotaryDim, attentionBias),
              norm: { kind: 'rms', weight: `${attention}.kv_a_layernorm.weight`, epsilon: LATENT_EPSILON },
              expansion: latentExpansion(decoder, attention, sizes),
              output: part('o_proj', hidden, attentionBias),
              scale,
            }),
          )
          const fed = stream.normalized({ kind: 'rms', weight: `${name}.post_attention_layernorm.weight`, epsilon })
          if (layer < denseLayers) {
            stream.add(gatedFeedForward(decoder, fed, { ...dense, ...gatedParts(`${name}.mlp`, dense) }))
            continue
          }
          const scores = routerScores(decoder, fed, { weight: `${name}.mlp.gate.weight`, hidden, experts })
          const correction = decoder.weights.vector(`${name}.mlp.gate.e_score_correction_bias`, [experts])
          const routing = sigmoidRouting(scores, { ...limits, perRow, correction, normalizes, factor })
          stream.add(gatedExperts(decoder, fed, routing, { experts, prefix: `${name}.mlp.experts`, ...routed }))
          if (sharedExperts > 0) {
            stream.add(gatedFeedForward(decoder, fed, { ...shared, ...gatedParts(`${name}.mlp.shared_experts`, shared) }))
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
    architectures: ['deepseek2'],
    appliesTo: hasSigmoidRouting,
    config: (metadata) => ({ model_type: 'deepseek_v3', ...ggufLatentConfig(metadata) }),
    tensor: ggufLatentTensor,
  },
}

/** Layers behind the last one that predict further tokens (multi-token prediction). */
function furtherTokenLayers(layers: number, further: number) {
  if (further === 0) return []
  const indices = Array.from({ length: further }, (_, index) => layers + index)
  return [
    {
      names: new RegExp(`^(model\\.layers|blk)\\.(${indices.join('|')})\\.`),
      reason: `${further} layer${further === 1 ? '' : 's'} for multi-token prediction, which is not used yet`,
    },
  ]
}
