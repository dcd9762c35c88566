/**
 * Mamba (Gu and Dao 2023) and Falcon-Mamba (Zuo et al. 2024). No attention: each block is a short convolution and a recurrence over a
 * state of fixed size, gated by a second branch. Choices: one RMSNorm before each block, the rates of the recurrence (step, B, C) are read
 * from the row itself, steps through a narrow projection and a softplus. Falcon-Mamba scales step, B and C to root mean square 1
 * before they are used, which keeps a model of 7B stable.
 */
import { add, concat, gather, multiply, reshape, rmsNormalization, split, type Value } from '@foretoken/graph'
import { causalConvolution, transposed } from '../blocks/causal-convolution.ts'
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, activate } from '../blocks/feed-forward.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { selectiveScan } from '../blocks/selective-scan.ts'
import { ggufStateSpaceConfig, ggufStateSpaceTensor } from '../checkpoint/gguf-state-space.ts'
import type { Decoder } from '../decoder/decoder.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'

/** A state has no end; positions are 32-bit numbers. */
const MOST_POSITIONS = 2 ** 31 - 1

export const mamba: Architecture = {
  modelTypes: ['mamba', 'falcon_mamba'],
  optionalPrefix: 'backbone.',

  describe(config) {
    const modelType = config.string('model_type')
    const hidden = config.count('hidden_size', modelType === 'mamba' ? 768 : 4096)
    const layers = config.count('num_hidden_layers', modelType === 'mamba' ? 32 : 64)
    const vocab = config.count('vocab_size', 50_280)
    const inner = config.optionalCount('intermediate_size') ?? config.count('expand', 2) * hidden
    const stateSize = config.count('state_size', 16)
    const kernel = config.count('conv_kernel', 4)
    const automaticRank = Math.ceil(hidden / 16)
    const rank = config.parsed('time_step_rank') === 'auto' ? automaticRank : config.count('time_step_rank', automaticRank)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const bias = config.boolean('use_bias', false)
    const convolutionBias = config.boolean('use_conv_bias', true)
    const rmsEpsilon = modelType === 'falcon_mamba' ? config.number('mixer_rms_eps', 1e-6) : undefined
    const tiedEmbeddings = config.boolean('tie_word_embeddings', true)
    const recurrent = { inputWidth: inner, window: kernel - 1, stateDims: [stateSize, inner] }

    function mixer(decoder: Decoder, layer: number, x: Value): Value {
      const name = `backbone.layers.${layer}.mixer`
      const { weights, graph } = decoder
      const inputs = decoder.recurrentInputs(layer)
      const projection = (part: string, outputs: number, hasBias: boolean) => ({
        name: `${name}.${part}.weight`,
        outputs,
        ...(hasBias ? { bias: `${name}.${part}.bias` } : {}),
      })
      const projected = weights.linear(x, [projection('in_proj', 2 * inner, bias)], { role: 'linear', inputs: hidden })
      const [main, gate] = split(projected, [inner, inner], { axis: -1 })
      const fresh = reshape(main, ['steps', inner])
      graph.output(`new_inputs_${layer}`, fresh)

      const convolved = causalConvolution(decoder, concat([inputs.inputs, fresh], { axis: 0 }), inputs.taps, {
        weight: `${name}.conv1d.weight`,
        ...(convolutionBias ? { bias: `${name}.conv1d.bias` } : {}),
        channels: inner,
        kernel,
      })
      const rows = activate(convolved, activation) // [tail + steps, inner]
      const rates = weights.linear(rows, [projection('x_proj', rank + 2 * stateSize, false)], { role: 'recurrence', inputs: inner })
      const [step, b, c] = split(rates, [rank, stateSize, stateSize], { axis: -1 }).map((each, at) =>
        rmsEpsilon === undefined ? each : scaledToOne(each, at === 0 ? rank : stateSize, rmsEpsilon),
      )
      if (step === undefined || b === undefined || c === undefined) throw new RangeError('split gives as many parts as asked for')
      const steps = weights.linear(step, [projection('dt_proj', inner, true)], { role: 'recurrence', inputs: rank })
      const scanned = selectiveScan(decoder, layer, inputs, { step: steps, x: rows, b, c }, decay(decoder, name), inner)
      const skip = multiply(gather(rows, inputs.newRows), weights.vector(`${name}.D`, [inner]))
      const gated = multiply(reshape(add(scanned, skip), [1, 'steps', inner]), activate(gate, activation))
      return weights.linear(gated, [projection('out_proj', hidden, bias)], { role: 'linear', inputs: inner })
    }

    /** A [stateSize, inner], which Hugging Face stores as ln(-A) and llama.cpp as it is; both the other way round. */
    function decay({ weights }: Decoder, name: string): Value {
      const isStored = weights.has(`${name}.A`)
      return weights.derived(isStored ? `${name}.A` : `${name}.A_log`, [[inner, stateSize]], {
        dims: [stateSize, inner],
        values: (stored) => transposed(isStored ? stored : stored.map((value) => -Math.exp(value)), inner, stateSize),
      })
    }

    return {
      config: {
        modelType,
        layers,
        hidden,
        heads: 0,
        kvHeads: 0,
        headDim: 0,
        vocab,
        maxPositions: MOST_POSITIONS,
        tiedEmbeddings,
      },
      layers: Array.from({ length: layers }, () => ({ heads: 0, kvHeads: 0, keyDim: 0, valueDim: 0, recurrent })),

      build(decoder) {
        // the original files call the table `embedding`
        const table = decoder.weights.has('backbone.embedding.weight') ? 'backbone.embedding.weight' : 'backbone.embeddings.weight'
        const stream = residualStream(decoder, tokenEmbeddings(decoder, table, { vocab, hidden }), hidden)
        for (let layer = 0; layer < layers; layer++) {
          stream.mark(layer)
          const normed = stream.normalized({ kind: 'rms', weight: `backbone.layers.${layer}.norm.weight`, epsilon })
          stream.add(mixer(decoder, layer, normed))
        }
        languageModelHead(decoder, stream, {
          norm: { kind: 'rms', weight: 'backbone.norm_f.weight', epsilon },
          weight: tiedEmbeddings ? table : 'lm_head.weight',
          vocab,
          hidden,
        })
      },
    }
  },

  gguf: { architectures: ['mamba'], config: readGgufConfig, tensor: ggufStateSpaceTensor },
}

function readGgufConfig(metadata: GgufMetadata): Record<string, unknown> {
  return {
    // llama.cpp scales step, B and C by the epsilon of the norms, which it stores; the reference has one that it does not
    model_type: metadata.get('mamba.ssm.dt_b_c_rms') === true ? 'falcon_mamba' : 'mamba',
    ...ggufStateSpaceConfig(metadata),
    time_step_rank: metadata.count('ssm.time_step_rank'),
  }
}

/** x [rows, width] divided by the root of its mean square. */
function scaledToOne(x: Value, width: number, epsilon: number): Value {
  return rmsNormalization(x, x.graph.constant('float32', [width], new Array<number>(width).fill(1)), { epsilon })
}
