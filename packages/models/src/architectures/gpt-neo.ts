/**
 * GPT-Neo (Black et al. 2021), 125M to 2.7B, and what was trained in its form (TinyStories). Choices: as GPT-2 with plain weights; every
 * second layer sees only a window; scores are not scaled; no biases on queries, keys and values.
 */
import { add } from '@foretoken/graph'
import { languageModelHead, positionEmbeddings, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, feedForward } from '../blocks/feed-forward.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { keyAmong } from '../config/aliased-keys.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import { readEqualHeads } from '../config/equal-heads.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import type { Architecture } from './architecture.ts'

export const gptNeo: Architecture = {
  modelTypes: ['gpt_neo'],
  optionalPrefix: 'transformer.',

  describe(config) {
    const attention = readEqualHeads(config, { hidden: ['hidden_size'], heads: ['num_heads', 'num_attention_heads'] })
    const { hidden, heads, kvHeads, headDim } = attention
    const layers = config.count(keyAmong(config, ['num_layers', 'num_hidden_layers']))
    const inner = config.optionalCount('intermediate_size') ?? 4 * hidden
    const vocab = config.count('vocab_size')
    const maxPositions = config.count('max_position_embeddings', 2048)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const activation = config.choice('activation_function', ACTIVATIONS, 'gelu_new')
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const window = config.count('window_size', 256)
    const kinds = attentionKinds(config, layers)

    return {
      config: { modelType: 'gpt_neo', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: kinds.map((kind) => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, ...(kind === 'local' ? { window } : {}) })),
      readsPositions: true,

      build(decoder) {
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const part = (name: string, outputs: number): LinearPart => ({ name: `${name}.weight`, bias: `${name}.bias`, outputs })
        const tokens = tokenEmbeddings(decoder, 'transformer.wte.weight', { vocab, hidden })
        const positions = positionEmbeddings(decoder, 'transformer.wpe.weight', { rows: maxPositions, hidden })
        const stream = residualStream(decoder, add(tokens, positions), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `transformer.h.${layer}`
          stream.mark(layer)
          const attended = stream.normalized(norm(`${name}.ln_1`))
          const parts = separateProjections(decoder, layer, `${name}.attn.attention`, {
            hidden,
            hasOutputBias: true,
            outputName: 'out_proj',
          })
          stream.add(selfAttention(decoder, layer, attended, { hidden, ...parts, scale: 1 }))
          stream.add(
            feedForward(decoder, stream.normalized(norm(`${name}.ln_2`)), {
              hidden,
              inner,
              activation,
              up: part(`${name}.mlp.c_fc`, inner),
              down: part(`${name}.mlp.c_proj`, hidden),
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
}

/**
 * `attention_types` is a list of patterns with the number of their repetitions, [[["global", "local"], 12]]; `attention_layers` is the
 * same written out, and goes before it where a file has both.
 */
function attentionKinds(config: ConfigReader, layers: number): readonly string[] {
  const key = config.has('attention_layers') ? 'attention_layers' : 'attention_types'
  const kinds = key === 'attention_layers' ? (config.strings(key) ?? []) : repeatedPatterns(config, layers)
  if (kinds.length !== layers) config.refuse(key, `${kinds.length} layers`, `${layers}, one entry for each layer`)
  const unknown = kinds.find((kind) => kind !== 'global' && kind !== 'local')
  if (unknown !== undefined) config.refuse(key, JSON.stringify(unknown), 'global or local')
  return kinds
}

function repeatedPatterns(config: ConfigReader, layers: number): readonly string[] {
  const patterns = config.parsed('attention_types') ?? [[['global', 'local'], layers / 2]]
  const expected = 'a list of patterns with the number of their repetitions'
  if (!Array.isArray(patterns)) return config.refuse('attention_types', JSON.stringify(patterns), expected)
  const kinds: string[] = []
  for (const entry of patterns) {
    const [pattern, repetitions]: unknown[] = Array.isArray(entry) ? entry : []
    const isPattern = Array.isArray(pattern) && pattern.length > 0 && pattern.every((kind) => typeof kind === 'string')
    if (!isPattern || typeof repetitions !== 'number') return config.refuse('attention_types', JSON.stringify(entry), expected)
    // one more than the layers is enough to be refused
    for (let turn = 0; turn < repetitions && kinds.length <= layers; turn++) kinds.push(...pattern)
  }
  return kinds
}
