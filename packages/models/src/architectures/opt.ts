/**
 * OPT (Zhang et al. 2022), 125M to 66B, and Galactica (Taylor et al. 2022), which is OPT without biases. Choices: learned position
 * embeddings whose first two rows stand for padding, ReLU, biases everywhere, tied embeddings. The 350M model differs: its norms
 * stand after the blocks, the last one is missing, and its embeddings are narrower than the stream, with a projection at both ends.
 */
import { add } from '@foretoken/graph'
import { languageModelHead, positionEmbeddings, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, feedForward } from '../blocks/feed-forward.ts'
import type { Norm } from '../blocks/norms.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selfAttention, separateProjections } from '../blocks/self-attention.ts'
import { readEqualHeads } from '../config/equal-heads.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import type { Architecture } from './architecture.ts'

/** Rows of the position table before that of position 0. */
const POSITION_OFFSET = 2

export const opt: Architecture = {
  modelTypes: ['opt'],
  optionalPrefix: 'model.',

  describe(config) {
    const attention = readEqualHeads(config, { hidden: ['hidden_size'], heads: ['num_attention_heads'] })
    const { hidden, heads, kvHeads, headDim } = attention
    const layers = config.count('num_hidden_layers')
    const inner = config.count('ffn_dim')
    const vocab = config.count('vocab_size')
    const width = config.optionalCount('word_embed_proj_dim') ?? hidden
    const maxPositions = config.count('max_position_embeddings', 2048)
    const activation = config.choice('activation_function', ACTIVATIONS, 'relu')
    const isBefore = config.boolean('do_layer_norm_before', true)
    const hasFinalNorm = isBefore && !config.boolean('_remove_final_layer_norm', false)
    const hasBias = config.boolean('enable_bias', true)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    if (!config.boolean('layer_norm_elementwise_affine', true)) {
      config.refuse('layer_norm_elementwise_affine', 'false', 'true: norms without scale and bias are not built')
    }

    return {
      config: { modelType: 'opt', layers, hidden, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      layers: Array.from({ length: layers }, () => ({ heads, kvHeads, keyDim: headDim, valueDim: headDim })),
      readsPositions: true,

      build(decoder) {
        const norm = (name: string): Norm => ({ kind: 'layer', weight: `${name}.weight`, bias: `${name}.bias`, epsilon: 1e-5 })
        const part = (name: string, outputs: number): LinearPart => ({
          name: `${name}.weight`,
          outputs,
          ...(hasBias ? { bias: `${name}.bias` } : {}),
        })
        const narrow = tokenEmbeddings(decoder, 'model.decoder.embed_tokens.weight', { vocab, hidden: width })
        const projectIn = { name: 'model.decoder.project_in.weight', outputs: hidden }
        const tokens =
          // embeddings that are fed come as wide as the stream
          width === hidden || decoder.outputs.embeddingsInput
            ? narrow
            : decoder.weights.linear(narrow, [projectIn], { role: 'linear', inputs: width })
        const positions = positionEmbeddings(decoder, 'model.decoder.embed_positions.weight', {
          rows: maxPositions + POSITION_OFFSET,
          hidden,
          offset: POSITION_OFFSET,
        })
        const stream = residualStream(decoder, add(tokens, positions), hidden)
        for (let layer = 0; layer < layers; layer++) {
          const name = `model.decoder.layers.${layer}`
          stream.mark(layer)
          const attentionNorm = norm(`${name}.self_attn_layer_norm`)
          const parts = separateProjections(decoder, layer, `${name}.self_attn`, {
            hidden,
            hasInputBias: hasBias,
            hasOutputBias: hasBias,
            outputName: 'out_proj',
          })
          stream.add(selfAttention(decoder, layer, isBefore ? stream.normalized(attentionNorm) : stream.value(), { hidden, ...parts }))
          if (!isBefore) stream.restart(stream.normalized(attentionNorm))

          const feedNorm = norm(`${name}.final_layer_norm`)
          stream.add(
            feedForward(decoder, isBefore ? stream.normalized(feedNorm) : stream.value(), {
              hidden,
              inner,
              activation,
              up: part(`${name}.fc1`, inner),
              down: part(`${name}.fc2`, hidden),
            }),
          )
          if (!isBefore) stream.restart(stream.normalized(feedNorm))
        }
        languageModelHead(decoder, stream, {
          ...(hasFinalNorm ? { norm: norm('model.decoder.final_layer_norm') } : {}),
          ...(width === hidden ? {} : { projection: { name: 'model.decoder.project_out.weight', outputs: width } }),
          weight: tiedEmbeddings ? 'model.decoder.embed_tokens.weight' : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },
}
