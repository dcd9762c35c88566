/**
 * BLOOM (BigScience 2022), 560M to 176B, and BLOOMZ. Choices: ALiBi instead of position embeddings, a LayerNorm on the embeddings
 * themselves, biases everywhere, GELU by its tanh approximation, queries, keys and values in one weight, head by head.
 */

import { alibi } from '../blocks/alibi.ts'
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { feedForward } from '../blocks/feed-forward.ts'
import { interleavedRowOrder, separatedRowOrder } from '../blocks/fused-projections.ts'
import { type Norm, normalized } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention } from '../blocks/self-attention.ts'
import { ggufDecoderConfig } from '../checkpoint/gguf-names.ts'
import { ggufPartNames } from '../checkpoint/gguf-part-names.ts'
import { keyAmong } from '../config/aliased-keys.ts'
import { readEqualHeads } from '../config/equal-heads.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import type { Architecture } from './architecture.ts'

export const bloom: Architecture = {
  modelTypes: ['bloom'],
  optionalPrefix: 'transformer.',

  describe(config) {
    const attention = readEqualHeads(config, { hidden: ['n_embed', 'hidden_size'], heads: ['n_head', 'num_attention_heads'] })
    const { hidden, heads, kvHeads, headDim } = attention
    const layers = config.count(keyAmong(config, ['n_layer', 'num_hidden_layers']))
    const vocab = config.count('vocab_size')
    const inner = config.optionalCount('n_inner') ?? 4 * hidden
    // what it was trained with; ALiBi goes on beyond it
    const maxPositions = config.count(keyAmong(config, ['seq_length', 'max_position_embeddings']), 2048)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const addsToNormalized = config.boolean('apply_residual_connection_post_layernorm', false)
    const bias = alibi(heads)

    return {
      config: { modelType: 'bloom', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, alibi: bias })),

      build(decoder) {
        const rowOrder = interleavedRowOrder({ kvHeads, group: 1, headDim })
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const part = (name: string, outputs: number): LinearPart => ({ name: `${name}.weight`, bias: `${name}.bias`, outputs })
        const tokens = tokenEmbeddings(decoder, 'transformer.word_embeddings.weight', { vocab, hidden })
        const stream = residualStream(decoder, normalized(decoder, tokens, norm('transformer.word_embeddings_layernorm'), hidden), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `transformer.h.${layer}`
          stream.mark(layer)
          const attended = stream.normalized(norm(`${name}.input_layernorm`))
          if (addsToNormalized) stream.restart(attended)
          stream.add(
            selfAttention(decoder, layer, attended, {
              hidden,
              projections: [{ ...part(`${name}.self_attention.query_key_value`, 3 * hidden), rowOrder }],
              output: part(`${name}.self_attention.dense`, hidden),
            }),
          )
          const fed = stream.normalized(norm(`${name}.post_attention_layernorm`))
          if (addsToNormalized) stream.restart(fed)
          stream.add(
            feedForward(decoder, fed, {
              hidden,
              inner,
              activation: 'gelu_tanh',
              up: part(`${name}.mlp.dense_h_to_4h`, inner),
              down: part(`${name}.mlp.dense_4h_to_h`, hidden),
            }),
          )
        }
        languageModelHead(decoder, stream, {
          norm: norm('transformer.ln_f'),
          weight: tiedEmbeddings ? 'transformer.word_embeddings.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['bloom'],
    config: (metadata) => ({
      ...ggufDecoderConfig(metadata),
      model_type: 'bloom',
      n_inner: metadata.count('feed_forward_length'),
      layer_norm_epsilon: metadata.number('attention.layer_norm_epsilon'),
    }),
    tensor(name, { heads, headDim }) {
      const tensor = ggufNames(name)
      // llama.cpp has all queries, then all keys, then all values
      if (tensor === undefined || !name.includes('.query_key_value.')) return tensor
      return { ...tensor, rowOrder: separatedRowOrder({ kvHeads: heads, group: 1, headDim }) }
    },
  },
}

const ggufNames = ggufPartNames({
  layers: 'transformer.h.',
  whole: {
    'transformer.word_embeddings': 'token_embd',
    'transformer.word_embeddings_layernorm': 'token_embd_norm',
    'transformer.ln_f': 'output_norm',
    lm_head: 'output',
  },
  parts: {
    input_layernorm: 'attn_norm',
    'self_attention.query_key_value': 'attn_qkv',
    'self_attention.dense': 'attn_output',
    post_attention_layernorm: 'ffn_norm',
    'mlp.dense_h_to_4h': 'ffn_up',
    'mlp.dense_4h_to_h': 'ffn_down',
  },
})
