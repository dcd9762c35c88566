/** The options that say how tokens are chosen, and what holds without them. */
import { type GenerationOptions, recommendedOptions, type Sampling } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { type Command, Option } from 'commander'
import { collectTexts, parseCount, parseNumber } from './option-values.ts'

export interface SamplingFlags {
  readonly greedy?: boolean
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly typicalP?: number
  readonly seed?: number
  readonly repetitionPenalty?: number
  readonly stop?: readonly string[]
}

/** What holds where no flag says otherwise. */
export type SamplingDefaults = Pick<GenerationOptions, 'sampling' | 'repetitionPenalty'>

/** Of a chat, when the checkpoint recommends nothing: greedy, or without a penalty, a small model goes round in circles. */
const CHAT_SAMPLING: Sampling = { kind: 'sample', temperature: 0.2, topP: 0.9 }
const CHAT_REPETITION_PENALTY = 1.1

const share = (number: number) => number > 0 && number <= 1

export function addSamplingOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--greedy', 'always the most probable token').conflicts(['temperature', 'topK', 'topP', 'minP', 'typicalP', 'seed']),
    )
    .option(
      '--temperature <t>',
      'flattens (above 1) or sharpens (below 1) the distribution; 0 is greedy',
      parseNumber((number) => number >= 0, 'a number from 0'),
    )
    .option('--top-k <k>', 'only the k most probable tokens; 0: all', parseCount)
    .option(
      '--top-p <p>',
      'only the most probable tokens that together have this probability',
      parseNumber(share, 'a number above 0, at most 1'),
    )
    .option(
      '--min-p <p>',
      'only tokens with at least this share of the greatest probability',
      parseNumber((number) => number >= 0 && number <= 1, 'a number from 0 to 1'),
    )
    .option('--typical-p <p>', 'only tokens whose surprise is near the expected one', parseNumber(share, 'a number above 0, at most 1'))
    .option('--seed <n>', 'the same seed gives the same tokens (default: 0)', parseCount)
    .option(
      '--repetition-penalty <x>',
      'divides the logits of tokens that occurred; 1: off',
      parseNumber((number) => number > 0, 'a number above 0'),
    )
    .option('--stop <text>', 'ends the output before this text; may be repeated', collectTexts)
}

/** For the help of commands that chat. */
export const CHAT_SAMPLING_HELP =
  "Without sampling options the checkpoint's own recommendation holds (generation_config.json),\nand where it has none: --temperature 0.2 --top-p 0.9 --repetition-penalty 1.1."

export function chatSampling(lm: CausalLM): SamplingDefaults {
  const recommended = recommendedOptions(lm)
  if (recommended.sampling?.kind === 'sample') return recommended
  return { repetitionPenalty: CHAT_REPETITION_PENALTY, ...recommended, sampling: CHAT_SAMPLING }
}

/** @param defaults  nothing: greedy */
export function samplingOptions(flags: SamplingFlags, defaults: SamplingDefaults = {}): Partial<GenerationOptions> {
  const { repetitionPenalty = defaults.repetitionPenalty, stop } = flags
  return {
    sampling: samplingOf(flags, defaults.sampling),
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
    ...(stop === undefined ? {} : { stopStrings: stop }),
  }
}

/** A flag changes its own number and leaves the other defaults. A seed alone asks for sampling, too. */
function samplingOf(flags: SamplingFlags, defaults: Sampling = { kind: 'greedy' }): Sampling {
  const { temperature, topK, topP, minP, typicalP, seed } = flags
  const given = withoutUndefined({ temperature, topK: topK === 0 ? Number.POSITIVE_INFINITY : topK, topP, minP, typicalP, seed })
  if (flags.greedy) return { kind: 'greedy' }
  if (Object.keys(given).length === 0) return defaults
  return { ...(defaults.kind === 'sample' ? defaults : { kind: 'sample' }), ...given }
}

function withoutUndefined(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const present: Record<string, number> = {}
  for (const [name, value] of Object.entries(values)) if (value !== undefined) present[name] = value
  return present
}
