/**
 * StarCoder 2 (Lozhkov et al. 2024, "StarCoder 2 and The Stack v2"). Rotary embedding and grouped key/value heads as in Llama, but layer norms
 * with biases, a feed-forward block of two products with a tanh-approximated GELU between them, biases everywhere, and a window of 4,096.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, feedForward } from '../blocks/feed-forward.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { ggufDecoderConfig, ggufDecoderTensor, ggufWindows } from '../checkpoint/gguf-names.ts'
import { readAttentionConfig, readWindows } from '../config/attention-config.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const starcoder2: Architecture = {
  modelTypes: ['starcoder2'],

  describe(config) {
    const { hidden, heads, kvHeads, headDim } = readAttentionConfig(config, { kvHeads: 2 })
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const epsilon = config.number('norm_epsilon', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'gelu_pytorch_tanh')
    const hasBias = config.boolean('use_bias', true)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const maxPositions = config.count('max_position_embeddings', 4096)
    const rope = readRope(config, { headDim, maxPositions })
    const window = config.optionalCount('sliding_window')
    const windows = readWindows(config, layers, { window, isWindowed: () => true })
    // published files name these; the reference builds them and no others
    config.choice('norm_type', ['layer_norm'], 'layer_norm')
    config.choice('mlp_type', ['default'], 'default')

    return {
      config: { modelType: 'starcoder2', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: windows.map((each) => ({
        heads,
        kvHeads,
        keyDim: headDim,
        valueDim: headDim,
        rope,
        ...(each === undefined ? {} : { window: each }),
      })),

      build(decoder) {
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const part = (name: string, outputs: number) => ({
          name: `${name}.weight`,
          outputs,
          ...(hasBias ? { bias: `${name}.bias` } : {}),
        })
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'model.embed_tokens.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.layers.${layer}`
          stream.mark(layer)
          const attended = stream.normalized(norm(`${name}.input_layernorm`))
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, { hidden, hasInputBias: hasBias, hasOutputBias: hasBias })
          stream.add(selfAttention(decoder, layer, attended, { hidden, ...parts }))
          const fed = stream.normalized(norm(`${name}.post_attention_layernorm`))
          stream.add(
            feedForward(decoder, fed, {
              hidden,
              inner,
              activation,
              up: part(`${name}.mlp.c_fc`, inner),
              down: part(`${name}.mlp.c_proj`, hidden),
            }),
          )
        }
        languageModelHead(decoder, stream, {
          norm: norm('model.norm'),
          weight: tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['starcoder2'],
    config: (metadata) => ({
      model_type: 'starcoder2',
      ...ggufDecoderConfig(metadata),
      ...ggufWindows(metadata),
      norm_epsilon: metadata.number('attention.layer_norm_epsilon'),
      use_bias: metadata.has('blk.0.attn_q.bias'),
    }),
    tensor: (name) => ggufDecoderTensor(name, { parts: TWO_PRODUCTS }),
  },
}

const TWO_PRODUCTS: ReadonlyMap<string, string> = new Map([
  ['mlp.c_fc', 'ffn_up'],
  ['mlp.c_proj', 'ffn_down'],
])
