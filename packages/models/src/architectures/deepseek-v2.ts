/**
 * DeepSeek-V2, V2-Lite and their Coder and Chat models (DeepSeek-AI 2024), the first with multi-head latent attention: one compressed row and one
 * rotated key are cached for all heads (`blocks/latent-attention.ts`). After the first dense layer every feed-forward block is a mixture: experts are
 * those with the greatest part of a softmax, within the best groups or among all, beside experts that every row uses. V2-Lite projects queries at once.
 * Rotary pairs are neighbours; YaRN's magnitude scales the scores.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { gatedExperts } from '../blocks/expert-weights.ts'
import { ACTIVATIONS, gatedFeedForward, gatedParts } from '../blocks/feed-forward.ts'
import { latentAttention, latentLayer } from '../blocks/latent-attention.ts'
import { latentExpansion } from '../blocks/latent-expansion.ts'
import { MIXTURE_NOTE } from '../blocks/mixture.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { routerScores, softmaxRouting } from '../blocks/routing.ts'
import { ggufLatentConfig, ggufLatentTensor, hasSigmoidRouting } from '../checkpoint/gguf-latent.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import { readExpertsPerRow, readGroups } from '../config/experts-config.ts'
import { readLatentScale, readLatentSizes, readQueryRank } from '../config/latent-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

/** The norms of compressed rows have a constant of their own. */
const LATENT_EPSILON = 1e-6

export const deepseekV2: Architecture = {
  modelTypes: ['deepseek_v2'],

  describe(config) {
    const hidden = config.count('hidden_size')
    const sizes = readLatentSizes(config)
    const { heads, rank, plainDim, rotaryDim } = sizes
    const headDim = plainDim + rotaryDim
    const queryRank = readQueryRank(config)
    const attentionBias = config.boolean('attention_bias', false)
    const layers = config.count('num_hidden_layers')
    const dense = { hidden, inner: config.count('intermediate_size'), activation: config.choice('hidden_act', ACTIVATIONS, 'silu') }
    const routed = { ...dense, inner: config.count('moe_intermediate_size', 1407) }
    const sharedExperts = config.isNull('n_shared_experts') ? 0 : config.number('n_shared_experts', 2)
    const shared = { ...dense, inner: sharedExperts * routed.inner }
    const denseLayers = config.number('first_k_dense_replace', 0)
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-6)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 2048)
    const experts = config.count('n_routed_experts', 64)
    const perRow = readExpertsPerRow(config, experts, 6)
    const limits = { experts, ...readChoice(config, experts, perRow) }
    const factor = config.number('routed_scaling_factor', 1)
    // what the published configurations say beside the reference's own keys
    config.choice('scoring_func', ['softmax'], 'softmax')
    for (const key of ['norm_topk_prob', 'mlp_bias']) if (config.boolean(key, false)) config.refuse(key, 'true', 'false: it is not built')
    if (config.number('moe_layer_freq', 1) !== 1) config.refuse('moe_layer_freq', `${config.number('moe_layer_freq')}`, '1')
    const rope = readRope(config, { headDim: rotaryDim, maxPositions, isInterleaved: true })
    const scale = readLatentScale(config, sizes)

    return {
      config: {
        modelType: 'deepseek_v2',
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
          const routing = softmaxRouting(scores, { ...limits, perRow, factor })
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
    appliesTo: (metadata) => !hasSigmoidRouting(metadata),
    // the file says how many groups there are where they count, and not how the best ones are found
    config: (metadata) => ({
      model_type: 'deepseek_v2',
      ...ggufLatentConfig(metadata),
      topk_method: (metadata.count('expert_group_count') ?? 1) > 1 ? 'group_limited_greedy' : 'greedy',
    }),
    tensor: ggufLatentTensor,
  },
}

/** In which groups a row chooses: all of them in the greedy method, whatever the groups are. */
function readChoice(config: ConfigReader, experts: number, perRow: number): { readonly groups: number; readonly groupsPerRow: number } {
  if (config.choice('topk_method', ['greedy', 'group_limited_greedy'], 'greedy') === 'greedy') return { groups: 1, groupsPerRow: 1 }
  const choice = readGroups(config, experts, { groups: 1, groupsPerRow: 1 })
  const open = (experts / choice.groups) * choice.groupsPerRow
  if (perRow > open) config.refuse('num_experts_per_tok', `${perRow}`, `at most ${open}, the experts of ${choice.groupsPerRow} groups`)
  return choice
}
