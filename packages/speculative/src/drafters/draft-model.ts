/**
 * A second, smaller model with the same tokenizer drafts one token after the other. After Leviathan et al. 2022 and Chen et al. 2023, with the noise
 * of the sampler in place of their residual rule: the draft model meets the noise that the target will meet (Gumbel coupling), so a sampled draft holds
 * about as often as a greedy one. Memory: the second model and its rows. Time: one of its steps for each drafted token, and its own pass over the prompt.
 */
import type { Drafter } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { draftChain } from '../draft-chain.ts'
import { DraftRows } from '../draft-rows.ts'

export interface DraftModelOptions {
  /** Most tokens of a draft. Default 4. */
  readonly draftTokens?: number
  /**
   * A draft ends before a token that, with all before it, is accepted with a lower probability by what the draft model thinks; 0 to 1.
   * Default 0.15: about what a row has to bring on a processor where it costs a tenth of a step.
   */
  readonly leastConfidence?: number
}

/**
 * @param draft  stays the caller's; may draft for several generations at once
 * @throws {ArgumentError} for a number outside of its range
 * @throws {VocabularyError} when a generation begins with a model of another vocabulary
 */
export function draftModel(draft: CausalLM, options: DraftModelOptions = {}): Drafter {
  return draftChain(
    'draft model',
    draft,
    options,
    (context) => new DraftRows(draft, { promptLength: context.prompt.length, signal: context.signal }),
  )
}
