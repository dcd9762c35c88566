/**
 * GPT-NeoX (Black et al. 2022): GPT-NeoX-20B, Pythia (Biderman et al. 2023), RedPajama-INCITE, Dolly 2. Choices: LayerNorms with biases, a
 * rotary embedding on the first part of each head, attention and feed-forward beside each other on the same stream (or one after the
 * other), queries, keys and values in one weight, head by head.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, feedForward } from '../blocks/feed-forward.ts'
import { interleavedRowOrder, separatedRowOrder } from '../blocks/fused-projections.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention } from '../blocks/self-attention.ts'
import { ggufDecoderConfig } from '../checkpoint/gguf-names.ts'
import { ggufPartNames } from '../checkpoint/gguf-part-names.ts'
import { readEqualHeads } from '../config/equal-heads.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const gptNeox: Architecture = {
  modelTypes: ['gpt_neox'],
  optionalPrefix: 'gpt_neox.',

  describe(config) {
    const attention = readEqualHeads(config, { hidden: ['hidden_size'], heads: ['num_attention_heads'] })
    const { hidden, heads, kvHeads, headDim } = attention
    const layers = config.count('num_hidden_layers')
    const inner = config.count('intermediate_size')
    const vocab = config.count('vocab_size')
    const maxPositions = config.count('max_position_embeddings', 2048)
    const epsilon = config.number('layer_norm_eps', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'gelu')
    const isParallel = config.boolean('use_parallel_residual', true)
    const attentionBias = config.boolean('attention_bias', true)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    const rope = readRope(config, {
      headDim,
      maxPositions,
      defaultTheta: config.number('rotary_emb_base', 10_000),
      partialFactor: config.number('rotary_pct', 0.25),
    })

    return {
      config: { modelType: 'gpt_neox', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, rope })),

      build(decoder) {
        const rowOrder = interleavedRowOrder({ kvHeads, group: 1, headDim })
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const part = (name: string, outputs: number, hasBias = true): LinearPart => ({
          name: `${name}.weight`,
          outputs,
          ...(hasBias ? { bias: `${name}.bias` } : {}),
        })
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'gpt_neox.embed_in.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `gpt_neox.layers.${layer}`
          stream.mark(layer)
          const attended = selfAttention(decoder, layer, stream.normalized(norm(`${name}.input_layernorm`)), {
            hidden,
            projections: [{ ...part(`${name}.attention.query_key_value`, 3 * hidden, attentionBias), rowOrder }],
            output: part(`${name}.attention.dense`, hidden, attentionBias),
          })
          // beside each other, both read the stream before either is added
          if (!isParallel) stream.add(attended)
          const fed = feedForward(decoder, stream.normalized(norm(`${name}.post_attention_layernorm`)), {
            hidden,
            inner,
            activation,
            up: part(`${name}.mlp.dense_h_to_4h`, inner),
            down: part(`${name}.mlp.dense_4h_to_h`, hidden),
          })
          if (isParallel) stream.add(attended)
          stream.add(fed)
        }
        languageModelHead(decoder, stream, {
          norm: norm('gpt_neox.final_layer_norm'),
          weight: tiedEmbeddings ? 'gpt_neox.embed_in.weight' : 'embed_out.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['gptneox'],
    config: (metadata) => ({
      ...ggufDecoderConfig(metadata),
      model_type: 'gpt_neox',
      layer_norm_eps: metadata.number('attention.layer_norm_epsilon'),
      use_parallel_residual: metadata.get('gptneox.use_parallel_residual') ?? true,
      attention_bias: metadata.has('blk.0.attn_qkv.bias'),
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
  layers: 'gpt_neox.layers.',
  whole: { 'gpt_neox.embed_in': 'token_embd', 'gpt_neox.final_layer_norm': 'output_norm', embed_out: 'output' },
  parts: {
    input_layernorm: 'attn_norm',
    'attention.query_key_value': 'attn_qkv',
    'attention.dense': 'attn_output',
    post_attention_layernorm: 'ffn_norm',
    'mlp.dense_h_to_4h': 'ffn_up',
    'mlp.dense_4h_to_h': 'ffn_down',
  },
})
