import type { SpeculationStatistics } from '@foretoken/generation'

/** One drafter on one prompt. */
export interface SpeculationRow {
  readonly drafter: string
  readonly prompt: string
  readonly temperature: number
  /** New tokens after the first, per step. */
  readonly tokensPerStep: number
  /** Time of plain decoding over time with the drafter, drafting counted: median of the rounds. */
  readonly ratio: number
  /** The same of processor time, which a busy machine disturbs less. */
  readonly processorRatio: number
  /** Whether the ids were those of plain decoding, in every round. */
  readonly identical: boolean
  /** Part of the drafted tokens that became output. */
  readonly acceptance: number
  /** Part of the output's 4-grams that were in it before. */
  readonly repeated: number
  readonly newTokens: number
  /** Milliseconds of the drafter per step. */
  readonly draftMs: number
  readonly acceptedByDepth: readonly number[]
  readonly testedByDepth: readonly number[]
  /** New tokens of each step of the last round. */
  readonly tokensByStep: readonly number[]
  readonly summary?: SpeculationStatistics['summary']
}

/** What is aimed at for the default, greedy, by kind of prompt; 0.98 for every other. */
export const AIMS: Readonly<Record<string, number>> = {
  copy: 3.5,
  code: 2,
  translation: 1.7,
  JSON: 1.3,
  chat: 1.15,
  story: 1.15,
}
