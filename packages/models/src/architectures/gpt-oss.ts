/**
 * gpt-oss (OpenAI 2025): a mixture of experts in every layer, of which a row uses four, weighted by the softmax of their scores. A learned logit
 * for each head (sink) takes part in the softmax of attention and has no value; every other layer attends within a window of 128. Biases
 * everywhere but in the head, YaRN with unrounded ramps, and the clamped gate of `blocks/clamped-experts.ts`. Published in MXFP4.
 */
import { clampedExperts } from '../blocks/clamped-experts.ts'
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { MIXTURE_NOTE } from '../blocks/mixture.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { routerScores, softmaxOfChosen } from '../blocks/routing.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { GGUF_EXPERT_PARTS, ggufExpertsConfig } from '../checkpoint/gguf-experts.ts'
import { ggufDecoderConfig, ggufDecoderTensor, ggufWindows } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { type ConfigReader, configReader } from '../config/config-reader.ts'
import { readExpertsPerRow } from '../config/experts-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

const DEFAULT_ROPE = {
  rope_type: 'yarn',
  factor: 32,
  beta_fast: 32,
  beta_slow: 1,
  truncate: false,
  original_max_position_embeddings: 4096,
}

export const gptOss: Architecture = {
  modelTypes: ['gpt_oss'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 8, headDim: 64 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('rms_norm_eps', 1e-5)
    config.choice('hidden_act', ['silu'], 'silu')
    const alpha = config.number('swiglu_alpha', 1.702)
    const limit = config.number('swiglu_limit', 7)
    const attentionBias = config.boolean('attention_bias', true)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const maxPositions = config.count('max_position_embeddings', 131_072)
    const experts = config.count('num_local_experts', 128)
    const perRow = readExpertsPerRow(config, experts, 4)
    const rope = readRope(config, { headDim, maxPositions, defaultTheta: 150_000 }, defaultRope(config))
    const window = config.isNull('sliding_window') ? undefined : config.count('sliding_window', 128)
    const windows = readWindows(config, layers, { window, isWindowed: (layer) => layer % 2 === 0 })

    return {
      config: {
        modelType: 'gpt_oss',
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
          stream.add(selfAttention(decoder, layer, attended, { hidden, ...parts, sinks: `${name}.self_attn.sinks` }))
          const fed = stream.normalized({ kind: 'rms', weight: `${name}.post_attention_layernorm.weight`, epsilon })
          const scores = routerScores(decoder, fed, {
            weight: `${name}.mlp.router.weight`,
            bias: `${name}.mlp.router.bias`,
            hidden,
            experts,
          })
          const prefix = `${name}.mlp.experts`
          stream.add(clampedExperts(decoder, fed, softmaxOfChosen(scores, perRow), { experts, prefix, hidden, inner, alpha, limit }))
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
    architectures: ['gpt-oss'],
    config(metadata) {
      const shared = ggufDecoderConfig(metadata)
      return {
        model_type: 'gpt_oss',
        ...shared,
        ...ggufExpertsConfig(metadata, 'num_local_experts'),
        ...ggufWindows(metadata),
        intermediate_size: metadata.count('expert_feed_forward_length') ?? shared.intermediate_size,
        // the file does not say that the ramps of the original are not rounded
        ...(typeof shared.rope_scaling === 'object' ? { rope_scaling: { ...shared.rope_scaling, truncate: false } } : {}),
      }
    },
    tensor: (name) => ggufSinks(name) ?? ggufDecoderTensor(name, { parts: GGUF_PARTS }),
  },
}

/** What the model type assumes where the file says nothing of its rope. */
function defaultRope(config: ConfigReader): ConfigReader | undefined {
  const isStated = config.has('rope_parameters') || config.has('rope_scaling')
  return isStated ? undefined : configReader(DEFAULT_ROPE, config.file, 'rope_scaling')
}

const GGUF_PARTS: ReadonlyMap<string, string> = new Map([
  ...GGUF_EXPERT_PARTS,
  ['mlp.router', 'ffn_gate_inp'],
  ['post_attention_layernorm', 'post_attention_norm'],
])

function ggufSinks(name: string): { readonly name: string } | undefined {
  const [, layer] = /^model\.layers\.(\d+)\.self_attn\.sinks$/.exec(name) ?? []
  return layer === undefined ? undefined : { name: `blk.${layer}.attn_sinks.weight` }
}
