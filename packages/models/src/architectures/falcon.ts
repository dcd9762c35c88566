/**
 * Falcon (Almazrouei et al. 2023). Falcon-7B: one key/value head, attention and feed-forward beside each other behind one LayerNorm. 40B
 * and 180B ("new decoder architecture"): groups of queries and a norm for each of the two; Falcon2-11B: groups and one norm. Falcon-RW
 * (Penedo et al. 2023): a key and a value for each head, blocks one after the other, biases, ALiBi. The rest has a rotary embedding.
 */
import { alibiOfBfloat16 } from '../blocks/alibi.ts'
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, feedForward } from '../blocks/feed-forward.ts'
import { interleavedRowOrder, separatedRowOrder } from '../blocks/fused-projections.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention } from '../blocks/self-attention.ts'
import { ggufDecoderConfig } from '../checkpoint/gguf-names.ts'
import { ggufPartNames } from '../checkpoint/gguf-part-names.ts'
import { keyAmong } from '../config/aliased-keys.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import { readEqualHeads } from '../config/equal-heads.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'

export const falcon: Architecture = {
  modelTypes: ['falcon'],
  optionalPrefix: 'transformer.',

  describe(config) {
    const sizes = readEqualHeads(config, { hidden: ['hidden_size', 'n_embed'], heads: ['num_attention_heads', 'n_head'] })
    const { hidden, heads, headDim } = sizes
    const layers = config.count(keyAmong(config, ['num_hidden_layers', 'n_layer']))
    const inner = config.optionalCount('ffn_hidden_size') ?? 4 * hidden
    const vocab = config.count('vocab_size')
    const maxPositions = config.count('max_position_embeddings', 2048)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const activation = config.choice('activation', ACTIVATIONS, 'gelu')
    const hasBias = config.boolean('bias', false)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const { kvHeads, isParallel, norms } = readLayout(config, heads)
    const positions = config.boolean('alibi', false)
      ? { alibi: alibiOfBfloat16(heads, 1 / Math.sqrt(headDim)) }
      : { rope: readRope(config, { headDim, maxPositions }) }

    return {
      config: { modelType: 'falcon', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, ...positions })),

      build(decoder) {
        const rowOrder = interleavedRowOrder({ kvHeads, group: heads / kvHeads, headDim })
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const part = (name: string, outputs: number): LinearPart => ({
          name: `${name}.weight`,
          outputs,
          ...(hasBias ? { bias: `${name}.bias` } : {}),
        })
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'transformer.word_embeddings.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `transformer.h.${layer}`
          stream.mark(layer)
          const rows = stream.normalized(norm(`${name}.${norms.attention}`))
          const attended = selfAttention(decoder, layer, rows, {
            hidden,
            projections: [{ ...part(`${name}.self_attention.query_key_value`, (heads + 2 * kvHeads) * headDim), rowOrder }],
            output: part(`${name}.self_attention.dense`, hidden),
          })
          // beside each other, both read the stream before either is added
          if (!isParallel) stream.add(attended)
          const isShared = norms.feedForward === norms.attention
          const fed = feedForward(decoder, isShared ? rows : stream.normalized(norm(`${name}.${norms.feedForward}`)), {
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
          norm: norm('transformer.ln_f'),
          weight: tiedEmbeddings ? 'transformer.word_embeddings.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: {
    architectures: ['falcon'],
    // llama.cpp runs the models with a rotary embedding and blocks beside each other
    config(metadata) {
      const hasTwoNorms = metadata.has('blk.0.attn_norm_2.weight')
      return {
        ...ggufDecoderConfig(metadata),
        model_type: 'falcon',
        ffn_hidden_size: metadata.count('feed_forward_length'),
        layer_norm_epsilon: metadata.number('attention.layer_norm_epsilon'),
        bias: metadata.has('blk.0.attn_qkv.bias'),
        new_decoder_architecture: true,
        num_kv_heads: storedKvHeads(metadata),
        num_ln_in_parallel_attn: hasTwoNorms ? 2 : 1,
      }
    },
    tensor(name, { heads, kvHeads, headDim }) {
      const tensor = ggufNames(name)
      // llama.cpp has all queries, then all keys, then all values
      if (tensor === undefined || !name.includes('.query_key_value.')) return tensor
      return { ...tensor, rowOrder: separatedRowOrder({ kvHeads, group: heads / kvHeads, headDim }) }
    },
  },
}

/** Which of the published layouts a configuration means. Mixed ones, which the reference accepts and cannot run, are refused. */
function readLayout(config: ConfigReader, heads: number) {
  const isGrouped = config.boolean('new_decoder_architecture', false)
  const isMultiQuery = config.boolean('multi_query', true)
  const isParallel = config.boolean('parallel_attn', true)
  if (config.boolean('apply_residual_connection_post_layernorm', false)) {
    config.refuse('apply_residual_connection_post_layernorm', 'true', 'false: no published Falcon has it')
  }
  const kvKey = keyAmong(config, ['num_kv_heads', 'n_head_kv'])
  const stated = config.optionalCount(kvKey) ?? heads
  if (!isGrouped && !isMultiQuery && stated !== heads) config.refuse(kvKey, `${stated} without groups or multi_query`, `${heads}`)
  // a file for one key/value head may still say num_kv_heads: 71
  const kvHeads = isGrouped ? stated : isMultiQuery ? 1 : heads
  if (heads % kvHeads !== 0) config.refuse(kvKey, `${kvHeads} for ${heads} attention heads`, 'a number that divides the heads')

  const count = config.optionalCount('num_ln_in_parallel_attn') ?? (isGrouped ? 2 : 1)
  if (count > 2 || (count === 2 && !isGrouped)) {
    config.refuse('num_ln_in_parallel_attn', `${count}`, isGrouped ? '1 or 2' : '1 without new_decoder_architecture')
  }
  if (!isParallel) {
    if (isGrouped) config.refuse('parallel_attn', 'false', 'true with new_decoder_architecture')
    return { kvHeads, isParallel, norms: { attention: 'input_layernorm', feedForward: 'post_attention_layernorm' } }
  }
  const norms =
    count === 2 ? { attention: 'ln_attn', feedForward: 'ln_mlp' } : { attention: 'input_layernorm', feedForward: 'input_layernorm' }
  return { kvHeads, isParallel, norms }
}

/** Converters of different times wrote different counts into the metadata; the fused weight cannot be wrong. */
function storedKvHeads(metadata: GgufMetadata): number | undefined {
  const rows = metadata.shape('blk.0.attn_qkv.weight')?.[0]
  const heads = metadata.count('attention.head_count')
  const hidden = metadata.count('embedding_length')
  if (rows === undefined || heads === undefined || hidden === undefined) return undefined
  return (rows / (hidden / heads) - heads) / 2
}

const ggufNames = ggufPartNames({
  layers: 'transformer.h.',
  whole: { 'transformer.word_embeddings': 'token_embd', 'transformer.ln_f': 'output_norm', lm_head: 'output' },
  parts: {
    input_layernorm: 'attn_norm',
    ln_mlp: 'attn_norm',
    ln_attn: 'attn_norm_2',
    'self_attention.query_key_value': 'attn_qkv',
    'self_attention.dense': 'attn_output',
    'mlp.dense_h_to_4h': 'ffn_up',
    'mlp.dense_4h_to_h': 'ffn_down',
  },
})
