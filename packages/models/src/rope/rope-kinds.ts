/**
 * The kinds of rotary embedding that checkpoints name in `rope_scaling` (transformers 4) or `rope_parameters` (transformers 5).
 * Sources: linear and dynamic NTK (kaiokendev, bloc97 2023), YaRN (Peng et al. 2023), Llama 3.1's wavelength bands,
 * LongRoPE (Ding et al. 2024). Each function is the formula; `../../test/rope/rope-kinds.node.test.ts` checks them against transformers.
 */
import type { ConfigReader } from '../config/config-reader.ts'
import type { Rope } from './rope.ts'

export const ROPE_KINDS = ['default', 'linear', 'dynamic', 'yarn', 'llama3', 'longrope'] as const
export type RopeKind = (typeof ROPE_KINDS)[number]

export interface RopeShape {
  readonly headDim: number
  readonly maxPositions: number
  readonly defaultTheta?: number
  /** Share of a head that is rotated when the file does not say, 1 by default. */
  readonly partialFactor?: number
  readonly isInterleaved?: boolean
  /** LongRoPE's length of the pretraining where neither the rope nor the configuration says it; `maxPositions` when absent. */
  readonly defaultOriginalPositions?: number
}

/**
 * Reads the rope of a configuration.
 *
 * @param config      the model's configuration; `rope_theta`, `rope_scaling`, `rope_parameters`, `partial_rotary_factor` are looked at
 * @param parameters  for models with several ropes: the parameters of the one meant, instead of those of `config`
 * @throws {ConfigError} when the kind is unknown or its parameters are missing
 */
export function readRope(config: ConfigReader, shape: RopeShape, parameters?: ConfigReader): Rope {
  const scaling = parameters ?? config.object('rope_parameters') ?? config.object('rope_scaling')
  const theta = scaling?.optionalNumber('rope_theta') ?? config.optionalNumber('rope_theta') ?? shape.defaultTheta ?? 10_000
  if (theta <= 0) config.refuse('rope_theta', `${theta}`, 'a positive number')
  const partial =
    scaling?.optionalNumber('partial_rotary_factor') ?? config.optionalNumber('partial_rotary_factor') ?? shape.partialFactor ?? 1
  const rotaryDim = Math.trunc(shape.headDim * partial)
  if (rotaryDim < 2 || rotaryDim % 2 !== 0 || rotaryDim > shape.headDim) {
    config.refuse('partial_rotary_factor', `${partial} of a head of ${shape.headDim}`, 'an even number of rotated elements')
  }
  const base = { rotaryDim, isInterleaved: shape.isInterleaved ?? false }
  const kind = scaling === undefined ? 'default' : readKind(scaling)
  const plain = frequenciesOf(theta, rotaryDim)
  if (scaling === undefined || kind === 'default') return { ...base, kind, attentionFactor: 1, inverseFrequencies: () => plain }

  switch (kind) {
    case 'linear': {
      const factor = readFactor(scaling)
      const frequencies = plain.map((frequency) => frequency / factor)
      return { ...base, kind, attentionFactor: 1, inverseFrequencies: () => frequencies }
    }
    case 'dynamic':
      return { ...base, kind, attentionFactor: 1, inverseFrequencies: dynamicFrequencies(scaling, theta, rotaryDim, shape.maxPositions) }
    case 'llama3': {
      const frequencies = llama3Frequencies(scaling, plain)
      return { ...base, kind, attentionFactor: 1, inverseFrequencies: () => frequencies }
    }
    case 'yarn': {
      const { frequencies, attentionFactor } = yarnFrequencies(scaling, theta, rotaryDim, shape.maxPositions)
      return { ...base, kind, attentionFactor, inverseFrequencies: () => frequencies }
    }
    case 'longrope':
      return { ...base, kind, ...longrope(config, scaling, theta, rotaryDim, shape) }
  }
}

function readKind(scaling: ConfigReader): RopeKind {
  // older files call the field `type`, and longrope `su`
  const key = scaling.has('rope_type') ? 'rope_type' : 'type'
  const name = scaling.string(key, 'default')
  const kind = name === 'su' ? 'longrope' : ROPE_KINDS.find((known) => known === name)
  return kind ?? scaling.refuse(key, JSON.stringify(name), `one of ${ROPE_KINDS.join(', ')}`)
}

function readFactor(scaling: ConfigReader): number {
  const factor = scaling.number('factor')
  return factor >= 1 ? factor : scaling.refuse('factor', `${factor}`, 'a number of at least 1')
}

/** theta^(-2i / rotaryDim) */
function frequenciesOf(theta: number, rotaryDim: number): Float32Array {
  return Float32Array.from({ length: rotaryDim / 2 }, (_, pair) => 1 / theta ** ((2 * pair) / rotaryDim))
}

/** NTK: beyond the trained length the base grows with the length of the sequence. */
function dynamicFrequencies(
  scaling: ConfigReader,
  theta: number,
  rotaryDim: number,
  maxPositions: number,
): (length: number) => Float32Array {
  const factor = readFactor(scaling)
  let known: { length: number; frequencies: Float32Array } = { length: -1, frequencies: new Float32Array(0) }
  return (sequenceLength) => {
    const length = Math.max(sequenceLength, maxPositions)
    if (known.length !== length) {
      const grown = theta * ((factor * length) / maxPositions - (factor - 1)) ** (rotaryDim / (rotaryDim - 2))
      known = { length, frequencies: frequenciesOf(grown, rotaryDim) }
    }
    return known.frequencies
  }
}

/** Long wavelengths are stretched by the factor, short ones stay, those between are blended. */
function llama3Frequencies(scaling: ConfigReader, plain: Float32Array): Float32Array {
  const factor = readFactor(scaling)
  const lowFactor = scaling.number('low_freq_factor')
  const highFactor = scaling.number('high_freq_factor')
  const original = scaling.count('original_max_position_embeddings')
  if (highFactor <= lowFactor) scaling.refuse('high_freq_factor', `${highFactor}`, `more than low_freq_factor, ${lowFactor}`)
  return plain.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency
    if (wavelength < original / highFactor) return frequency
    if (wavelength > original / lowFactor) return frequency / factor
    const smooth = (original / wavelength - lowFactor) / (highFactor - lowFactor)
    return ((1 - smooth) * frequency) / factor + smooth * frequency
  })
}

/** Interpolates slow pairs by the factor and leaves fast ones, with a ramp between two numbers of rotations over the trained length. */
function yarnFrequencies(scaling: ConfigReader, theta: number, rotaryDim: number, maxPositions: number) {
  const factor = readFactor(scaling)
  const original = scaling.optionalCount('original_max_position_embeddings') ?? maxPositions
  const betaFast = scaling.number('beta_fast', 32)
  const betaSlow = scaling.number('beta_slow', 1)
  const mscale = scaling.optionalNumber('mscale')
  const mscaleAllDim = scaling.optionalNumber('mscale_all_dim')
  const magnitude = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1)
  const attentionFactor =
    scaling.optionalNumber('attention_factor') ?? (mscale && mscaleAllDim ? magnitude(mscale) / magnitude(mscaleAllDim) : magnitude(1))

  // the pair that turns `rotations` times over the original length
  const pairOf = (rotations: number) => (rotaryDim * Math.log(original / (rotations * 2 * Math.PI))) / (2 * Math.log(theta))
  const truncates = scaling.boolean('truncate', true)
  const low = Math.max(truncates ? Math.floor(pairOf(betaFast)) : pairOf(betaFast), 0)
  const highest = Math.min(truncates ? Math.ceil(pairOf(betaSlow)) : pairOf(betaSlow), rotaryDim - 1)
  const high = highest === low ? low + 0.001 : highest
  const frequencies = frequenciesOf(theta, rotaryDim).map((frequency, pair) => {
    const kept = 1 - Math.min(Math.max((pair - low) / (high - low), 0), 1)
    return (frequency / factor) * (1 - kept) + frequency * kept
  })
  return { frequencies, attentionFactor }
}

/** Each pair has its own factor, one list up to the trained length and another beyond. */
function longrope(config: ConfigReader, scaling: ConfigReader, theta: number, rotaryDim: number, shape: RopeShape) {
  const { maxPositions, defaultOriginalPositions } = shape
  const original =
    scaling.optionalCount('original_max_position_embeddings') ??
    config.optionalCount('original_max_position_embeddings') ??
    defaultOriginalPositions ??
    maxPositions
  const factor = original === maxPositions ? (scaling.optionalNumber('factor') ?? 1) : maxPositions / original
  const attentionFactor =
    scaling.optionalNumber('attention_factor') ?? (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original)))
  const divided = (key: string): Float32Array => {
    const factors = scaling.numbers(key)
    if (factors.length !== rotaryDim / 2) scaling.refuse(key, `${factors.length} factors`, `${rotaryDim / 2}, one for each pair`)
    // rounded as the reference rounds each step: at long positions a single last place moves the angle
    return Float32Array.from(factors, (each, pair) => 1 / Math.fround(Math.fround(each) * Math.fround(theta ** ((2 * pair) / rotaryDim))))
  }
  const short = divided('short_factor')
  const long = divided('long_factor')
  const jumps = long.some((frequency, pair) => frequency !== short[pair])
  return {
    attentionFactor,
    ...(jumps ? { switchLength: original } : {}),
    inverseFrequencies: (sequenceLength: number) => (sequenceLength > original ? long : short),
  }
}
