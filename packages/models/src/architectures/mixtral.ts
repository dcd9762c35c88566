/**
 * Mixtral (Jiang et al. 2024): Mistral with eight feed-forward blocks in the place of each one, of which every row uses two. The router's two
 * greatest scores are softmaxed among themselves. Sliding windows are in the configuration and switched off in what was published.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { gatedExperts } from '../blocks/expert-weights.ts'
import { ACTIVATIONS } from '../blocks/feed-forward.ts'
import { MIXTURE_NOTE } from '../blocks/mixture.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { routerScores, softmaxOfChosen } from '../blocks/routing.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { GGUF_EXPERT_PARTS, ggufExpertsConfig, ggufSingleExpert, hasGgufExperts } from '../checkpoint/gguf-experts.ts'
import { ggufDecoderConfig, ggufDecoderTensor } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readExpertsPerRow } from '../config/experts-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const mixtral: Architecture = {
  modelTypes: ['mixtral'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 8 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 131_072)
    const experts = config.count('num_local_experts', 8)
    const perRow = readExpertsPerRow(config, experts, 2)
    const rope = readRope(config, { headDim, maxPositions, defaultTheta: 1e6 })
    const windows = readWindows(config, layers, { window: config.optionalCount('sliding_window'), isWindowed: () => true })

    return {
      config: {
        modelType: 'mixtral',
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
          stream.add(
            selfAttention(decoder, layer, attended, {
              hidden,
              ...separateProjections(decoder, layer, `${name}.self_attn`, { hidden }),
            }),
          )
          const fed = stream.normalized({ kind: 'rms', weight: `${name}.post_attention_layernorm.weight`, epsilon })
          // transformers 5 calls the block as the other mixtures do
          const block = decoder.weights.has(`${name}.mlp.gate.weight`) ? `${name}.mlp` : `${name}.block_sparse_moe`
          const scores = routerScores(decoder, fed, { weight: `${block}.gate.weight`, hidden, experts })
          stream.add(
            gatedExperts(decoder, fed, softmaxOfChosen(scores, perRow), {
              experts,
              prefix: `${block}.experts`,
              names: { gate: 'w1', up: 'w3', down: 'w2' },
              hidden,
              inner,
              activation,
            }),
          )
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
    // llama.cpp's name for everything of Llama's shape
    architectures: ['llama'],
    appliesTo: hasGgufExperts,
    config: (metadata) => ({ model_type: 'mixtral', ...ggufDecoderConfig(metadata), ...ggufExpertsConfig(metadata, 'num_local_experts') }),
    tensor: (name) => ggufSingleExpert(name) ?? ggufDecoderTensor(name, { permutesRotaryPairs: true, parts: GGUF_EXPERT_PARTS }),
  },
}
