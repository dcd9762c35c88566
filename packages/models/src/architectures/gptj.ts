/**
 * GPT-J (Wang and Komatsuzaki 2021). Choices: one LayerNorm for attention and feed-forward, which stand beside each other; a rotary
 * embedding of neighbouring elements on the first part of each head; biases in the feed-forward block and the head, none in attention.
 */
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, feedForward } from '../blocks/feed-forward.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { keyAmong } from '../config/aliased-keys.ts'
import { readEqualHeads } from '../config/equal-heads.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import { readRope } from '../rope/rope-kinds.ts'
import type { Architecture } from './architecture.ts'

export const gptj: Architecture = {
  modelTypes: ['gptj'],
  optionalPrefix: 'transformer.',

  describe(config) {
    const attention = readEqualHeads(config, { hidden: ['n_embd', 'hidden_size'], heads: ['n_head', 'num_attention_heads'] })
    const { hidden, heads, kvHeads, headDim } = attention
    const layers = config.count(keyAmong(config, ['n_layer', 'num_hidden_layers']))
    const inner = config.optionalCount('n_inner') ?? 4 * hidden
    const vocab = config.count('vocab_size')
    const maxPositions = config.count(keyAmong(config, ['n_positions', 'max_position_embeddings']), 2048)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const activation = config.choice('activation_function', ACTIVATIONS, 'gelu_new')
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    if (config.isNull('rotary_dim')) config.refuse('rotary_dim', 'null', 'the number of elements of a head that are rotated')
    const rotaryDim = config.count('rotary_dim', 64)
    if (rotaryDim % 2 !== 0 || rotaryDim > headDim) config.refuse('rotary_dim', `${rotaryDim}`, `an even number up to ${headDim}`)
    const rope = readRope(config, { headDim, maxPositions, partialFactor: rotaryDim / headDim, isInterleaved: true })

    return {
      config: { modelType: 'gptj', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim, rope })),

      build(decoder) {
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon })
        const part = (name: string, outputs: number): LinearPart => ({ name: `${name}.weight`, bias: `${name}.bias`, outputs })
        const stream = residualStream(decoder, tokenEmbeddings(decoder, 'transformer.wte.weight', { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `transformer.h.${layer}`
          stream.mark(layer)
          const rows = stream.normalized(norm(`${name}.ln_1`))
          const parts = separateProjections(decoder, layer, `${name}.attn`, { hidden, outputName: 'out_proj' })
          const attended = selfAttention(decoder, layer, rows, { hidden, ...parts })
          const fed = feedForward(decoder, rows, {
            hidden,
            inner,
            activation,
            up: part(`${name}.mlp.fc_in`, inner),
            down: part(`${name}.mlp.fc_out`, hidden),
          })
          stream.add(attended)
          stream.add(fed)
        }
        languageModelHead(decoder, stream, {
          norm: norm('transformer.ln_f'),
          weight: tiedEmbeddings ? 'transformer.wte.weight' : 'lm_head.weight',
          bias: 'lm_head.bias',
          vocab,
          hidden,
        })
      },
    }
  },
}
