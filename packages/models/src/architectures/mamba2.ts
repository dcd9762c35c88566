/**
 * Mamba-2 (Dao and Gu 2024) and Mamba-Codestral. As Mamba with heads: the state of a head is a matrix that decays by one number a row, B and C
 * are shared by groups of heads, and all that a row contributes comes from one projection. The gate is applied before a last norm, which is
 * over each group's channels.
 */
import { add, clip, concat, gather, multiply, reshape, rmsNormalization, slice, split, type Value } from '@foretoken/graph'
import { causalConvolution } from '../blocks/causal-convolution.ts'
import { languageModelHead, tokenEmbeddings } from '../blocks/embeddings.ts'
import { ACTIVATIONS, activate } from '../blocks/feed-forward.ts'
import { gatedLinearAttention, softplusByRow } from '../blocks/gated-linear-attention.ts'
import { residualStream } from '../blocks/residual-stream.ts'
import { ggufStateSpaceConfig, ggufStateSpaceTensor } from '../checkpoint/gguf-state-space.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import type { Decoder } from '../decoder/decoder.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'

/** A state has no end; positions are 32-bit numbers. */
const MOST_POSITIONS = 2 ** 31 - 1

export const mamba2: Architecture = {
  modelTypes: ['mamba2'],
  optionalPrefix: 'backbone.',

  describe(config) {
    const hidden = config.count('hidden_size', 4096)
    const layers = config.count('num_hidden_layers', 64)
    const vocab = config.count('vocab_size', 32_768)
    const heads = config.count('num_heads', 128)
    const headDim = config.count('head_dim', 64)
    const inner = config.optionalCount('intermediate_size') ?? config.number('expand', 2) * hidden
    const groups = config.count('n_groups', 8)
    const stateSize = config.count('state_size', 128)
    const kernel = config.count('conv_kernel', 4)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const activation = config.choice('hidden_act', ACTIVATIONS, 'silu')
    const bias = config.boolean('use_bias', false)
    const convolutionBias = config.boolean('use_conv_bias', true)
    const stepLimits = readStepLimits(config)
    const tiedEmbeddings = config.boolean('tie_word_embeddings', false)
    if (heads * headDim !== inner) {
      config.refuse(
        'num_heads',
        `${heads} heads of ${headDim} for an inner width of ${inner}`,
        'num_heads * head_dim = expand * hidden_size',
      )
    }
    if (heads % groups !== 0) config.refuse('n_groups', `${groups} for ${heads} heads`, 'a number that divides num_heads')
    if (!config.boolean('rms_norm', true)) config.refuse('rms_norm', 'false', 'true: the norm after the gate is part of the block')

    const shared = groups * stateSize // of B, and of C
    const convolved = inner + 2 * shared
    const recurrent = { inputWidth: convolved + heads, window: kernel - 1, stateDims: [heads, stateSize, headDim] }

    function mixer(decoder: Decoder, layer: number, x: Value): Value {
      const name = `backbone.layers.${layer}.mixer`
      const { weights, graph } = decoder
      const inputs = decoder.recurrentInputs(layer)
      const projection = (part: string, outputs: number) => ({
        name: `${name}.${part}.weight`,
        outputs,
        ...(bias ? { bias: `${name}.${part}.bias` } : {}),
      })
      const perHead = (part: string, values = (stored: Float32Array) => stored) =>
        weights.derived(`${name}.${part}`, [[heads], [heads, 1]], { dims: [heads, 1], values })

      const projected = weights.linear(x, [projection('in_proj', 2 * inner + 2 * shared + heads)], { role: 'linear', inputs: hidden })
      const [gate, main] = split(projected, [inner, convolved + heads], { axis: -1 })
      const fresh = reshape(main, ['steps', convolved + heads])
      graph.output(`new_inputs_${layer}`, fresh)

      const [channels, rawSteps] = split(concat([inputs.inputs, fresh], { axis: 0 }), [convolved, heads], { axis: -1 })
      const filtered = causalConvolution(decoder, channels, inputs.taps, {
        weight: `${name}.conv1d.weight`,
        ...(convolutionBias ? { bias: `${name}.conv1d.bias` } : {}),
        channels: convolved,
        kernel,
      })
      const [flat, b, c] = split(activate(filtered, activation), [inner, shared, shared], { axis: -1 })
      const rows = reshape(flat, ['tail+steps', heads, headDim])
      const ownSteps = slice(rawSteps, { axis: 0, start: kernel - 1 }) // [tail + steps, heads]
      const plainSteps = softplusByRow(add(reshape(ownSteps, ['tail+steps', heads, 1]), perHead('dt_bias')))
      const steps = stepLimits === undefined ? plainSteps : clip(plainSteps, stepLimits.least, stepLimits.most)
      // A, which Hugging Face stores as ln(-A) and llama.cpp as it is
      const rates = weights.has(`${name}.A`) ? perHead('A') : perHead('A_log', (stored) => stored.map((value) => -Math.exp(value)))

      const scanned = gatedLinearAttention(
        decoder,
        layer,
        inputs,
        {
          query: c,
          key: b,
          value: reshape(multiply(steps, rows), ['tail+steps', inner]),
          decay: reshape(multiply(steps, rates), ['tail+steps', heads]),
        },
        { heads, groups, keyDim: stateSize, valueDim: headDim },
      )
      const skip = reshape(multiply(gather(rows, inputs.newRows), perHead('D')), ['steps', inner])
      const gated = multiply(reshape(add(scanned, skip), [1, 'steps', inner]), activate(gate, activation))
      return weights.linear(groupNormalized(decoder, name, gated), [projection('out_proj', hidden)], { role: 'linear', inputs: inner })
    }

    /** x [1, steps, inner] over the channels of each group. */
    function groupNormalized({ weights, graph }: Decoder, name: string, x: Value): Value {
      const width = inner / groups
      const ones = graph.constant('float32', [width], new Array<number>(width).fill(1))
      const normed = rmsNormalization(reshape(x, [1, 'steps', groups, width]), ones, { epsilon })
      const scale = weights.derived(`${name}.norm.weight`, [[inner], [groups, width]], {
        dims: [groups, width],
        values: (stored) => stored,
      })
      return reshape(multiply(normed, scale), [1, 'steps', inner])
    }

    return {
      config: {
        modelType: 'mamba2',
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

  gguf: { architectures: ['mamba2'], config: readGgufConfig, tensor: ggufStateSpaceTensor },
}

function readGgufConfig(metadata: GgufMetadata): Record<string, unknown> {
  const inner = metadata.count('ssm.inner_size')
  // llama.cpp keeps the number of heads under this key
  const heads = metadata.count('ssm.time_step_rank')
  return {
    model_type: 'mamba2',
    ...ggufStateSpaceConfig(metadata),
    num_heads: heads,
    head_dim: inner === undefined || heads === undefined ? undefined : inner / heads,
    n_groups: metadata.count('ssm.group_count'),
  }
}

/** Bounds of the steps; undefined where they bound nothing: a step is positive. */
function readStepLimits(config: ConfigReader): { readonly least: number; readonly most: number } | undefined {
  const limits = config.parsed('time_step_limit')
  if (limits === undefined) return undefined
  const isBound = (value: unknown): value is number => typeof value === 'number' && value >= 0
  const [least, most]: readonly unknown[] = Array.isArray(limits) && limits.length === 2 ? limits : []
  if (!isBound(least) || !isBound(most) || least > most) {
    return config.refuse('time_step_limit', JSON.stringify(limits), 'two numbers, the smaller first')
  }
  return least === 0 && most === Number.POSITIVE_INFINITY ? undefined : { least, most: Math.min(most, 3.4e38) }
}
