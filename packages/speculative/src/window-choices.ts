/**
 * What the model chose after each row of a step, rows that were not accepted among them: the next guesses of Jacobi and Lookahead decoding. A row's
 * choice is made with the noise of the position behind it, so that guesses converge to the sampled output and not only to the greedy one. Processors
 * are left out: rows stand behind guesses that they may forbid.
 */
import { createSampler, type DraftContext, ProcessorError, type VerifiedStep } from '@foretoken/generation'

/** @returns the choice after a row of the step, whose depth below the root is given; -1 where nothing can be chosen */
export type WindowChoices = (step: VerifiedStep, row: number, depth: number) => number

export function createWindowChoices({ sampling, sequence, lm }: DraftContext): WindowChoices {
  const { vocab } = lm.config
  const sampler = createSampler(sampling, vocab)
  return ({ result, past }, row, depth) => {
    const logits = result.logits?.data.subarray(row * vocab, (row + 1) * vocab)
    if (logits?.length !== vocab) return -1
    try {
      return sampler.choose(logits, sequence, past + depth + 1)
    } catch (error) {
      if (error instanceof ProcessorError) return -1
      throw error
    }
  }
}
