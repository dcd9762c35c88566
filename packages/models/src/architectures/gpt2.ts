/**
 * GPT-2 (Radford et al. 2019) and what was trained in its form (DistilGPT-2, DialoGPT, many GPT-2 of other languages). Choices: learned
 * position embeddings, LayerNorm before each block, biases everywhere, GELU by its tanh approximation, the head tied to the embedding.
 * Its weights are those of `Conv1D`, stored as [inputs, outputs].
 */
import { add } from '@foretoken/graph'
import { languageModelHead, positionEmbeddings, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, feedForward } from '../blocks/feed-forward.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention } from '../blocks/self-attention.ts'
import { ggufDecoderConfig } from '../checkpoint/gguf-names.ts'
import { ggufPartNames } from '../checkpoint/gguf-part-names.ts'
import { keyAmong } from '../config/aliased-keys.ts'
import { readEqualHeads } from '../config/equal-heads.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import type { Architecture } from './architecture.ts'

export const gpt2: Architecture = {
  modelTypes: ['gpt2'],
  optionalPrefix: 'transformer.',

  describe(config) {
    const attention = readEqualHeads(config, { hidden: ['n_embd', 'hidden_size'], heads: ['n_head', 'num_attention_heads'] })
    const { hidden, heads, kvHeads, headDim } = attention
    const layers = config.count(keyAmong(config, ['n_layer', 'num_hidden_layers']))
    const inner = config.optionalCount('n_inner') ?? 4 * hidden
    const vocab = config.count('vocab_size')
    const maxPositions = config.count(keyAmong(config, ['n_positions', 'max_position_embeddings']), 1024)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const activation = config.choice('activation_function', ACTIVATIONS, 'gelu_new')
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    if (config.boolean('add_cross_attention', false)) config.refuse('add_cross_attention', 'true', 'a decoder without an encoder')
    const isScaled = config.boolean('scale_attn_weights', true)
    // a training aid that stayed in the configuration: deeper layers have flatter scores
    const isScaledByLayer = config.boolean('scale_attn_by_inverse_layer_idx', false)

    return {
      config: { modelType: 'gpt2', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim })),
      readsPositions: true,

      build(decoder) {
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const convolution = (name: string, outputs: number): LinearPart => ({
          name: `${name}.weight`,
          bias: `${name}.bias`,
          outputs,
          isTransposed: true,
        })
        const tokens = tokenEmbeddings(decoder, 'transformer.wte.weight', { vocab, hidden })
        const positions = positionEmbeddings(decoder, 'transformer.wpe.weight', { rows: maxPositions, hidden })
        const stream = residualStream(decoder, add(tokens, positions), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `transformer.h.${layer}`
          stream.mark(layer)
          stream.add(
            selfAttention(decoder, layer, stream.normalized(norm(`${name}.ln_1`)), {
              hidden,
              projections: [convolution(`${name}.attn.c_attn`, 3 * hidden)],
              output: convolution(`${name}.attn.c_proj`, hidden),
              scale: (isScaled ? 1 / Math.sqrt(headDim) : 1) / (isScaledByLayer ? layer + 1 : 1),
            }),
          )
          stream.add(
            feedForward(decoder, stream.normalized(norm(`${name}.ln_2`)), {
              hidden,
              inner,
              activation,
              up: convolution(`${name}.mlp.c_fc`, inner),
              down: convolution(`${name}.mlp.c_proj`, hidden),
            }),
          )
        }
        languageModelHead(decoder, stream, {
          norm: norm('transformer.ln_f'),
          weight: tiedEmbeddings ? 'transformer.wte.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['gpt2'],
    config: (metadata) => ({
      model_type: 'gpt2',
      ...ggufDecoderConfig(metadata),
      n_inner: metadata.count('feed_forward_length'),
      layer_norm_epsilon: metadata.number('attention.layer_norm_epsilon'),
    }),
    tensor(name) {
      const tensor = ggufNames(name)
      // llama.cpp has them as [outputs, inputs]
      return tensor !== undefined && /\.c_\w+\.weight$/.test(name) ? { ...tensor, isTransposed: true } : tensor
    },
  },
}

const ggufNames = ggufPartNames({
  layers: 'transformer.h.',
  whole: {
    'transformer.wte': 'token_embd',
    'transformer.wpe': 'position_embd',
    'transformer.ln_f': 'output_norm',
    lm_head: 'output',
  },
  parts: {
    ln_1: 'attn_norm',
    'attn.c_attn': 'attn_qkv',
    'attn.c_proj': 'attn_output',
    ln_2: 'ffn_norm',
    'mlp.c_fc': 'ffn_up',
    'mlp.c_proj': 'ffn_down',
  },
})
