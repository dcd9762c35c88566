/** The options that say how tokens are chosen. Without any, what the checkpoint recommends. */
import { type GenerationOptions, recommendedOptions, type Sampling } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import type { Command } from 'commander'
import { collect, parseCount, parseNumber } from './option-values.ts'

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

export function addSamplingOptions(command: Command): Command {
  return command
    .option('--greedy', 'always the most probable token')
    .option('--temperature <t>', 'flattens (above 1) or sharpens (below) the distribution; 0 is greedy', parseNumber)
    .option('--top-k <k>', 'only the k most probable tokens', parseCount)
    .option('--top-p <p>', 'only the most probable tokens that together have this probability', parseNumber)
    .option('--min-p <p>', 'only tokens with at least this share of the greatest probability', parseNumber)
    .option('--typical-p <p>', 'only tokens whose surprise is near the expected one', parseNumber)
    .option('--seed <n>', 'the same seed gives the same tokens (default: 0)', parseCount)
    .option('--repetition-penalty <x>', 'divides the logits of tokens that occurred', parseNumber)
    .option('--stop <text>', 'ends the output before this text; may be repeated', collect)
}

/** @param fallback  for what neither the flags nor the checkpoint say */
export function samplingOptions(flags: SamplingFlags, lm: CausalLM, fallback: Sampling = { kind: 'greedy' }): Partial<GenerationOptions> {
  const seed = flags.seed ?? 0
  const recommended = recommendedOptions(lm, seed)
  const { temperature, topK, topP, minP, typicalP, repetitionPenalty, stop } = flags
  const given = { temperature, topK, topP, minP, typicalP }
  const isGiven = Object.values(given).some((value) => value !== undefined)
  const base =
    recommended.sampling?.kind === 'sample' ? recommended.sampling : { ...fallback, ...(fallback.kind === 'sample' ? { seed } : {}) }
  const sampling: Sampling = flags.greedy
    ? { kind: 'greedy' }
    : isGiven
      ? { kind: 'sample', seed, ...(base.kind === 'sample' ? base : {}), ...withoutUndefined(given) }
      : base
  return {
    ...recommended,
    sampling,
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
    ...(stop === undefined ? {} : { stopStrings: stop }),
  }
}

function withoutUndefined(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const present: Record<string, number> = {}
  for (const [name, value] of Object.entries(values)) if (value !== undefined) present[name] = value
  return present
}
