/**
 * What a model would choose after a draft, in the way in which the target will choose: its processors on the draft's own prefix, its sampling, and the
 * noise of the position. A draft model that thinks nearly what the target thinks then proposes what the target draws, at any temperature.
 */
import { createTokenRanking, type DraftContext, ProcessorError, processorChain, type RankedTokens } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { draftLogits } from './draft-logits.ts'

export interface DraftChoices {
  /** The output has become so long. */
  follow(tokens: Int32Array): void
  /**
   * @param logits  [logits] of the draft model after these tokens and the branch
   * @param branch  drafted tokens after the output
   * @returns       the choices, best first; none where nothing can be chosen. Reused by the next call
   */
  rank(logits: Float32Array, branch: readonly number[]): RankedTokens
}

/**
 * @param draft  whose logits will be ranked
 * @param vocab  ids that may be drafted, those below it
 * @param most   tokens that are ranked
 */
export function createDraftChoices(context: DraftContext, draft: CausalLM, vocab: number, most: number): DraftChoices {
  const { sampling, sequence, processors = [], prompt, lm } = context
  const ranking = createTokenRanking(sampling, vocab, Math.min(most, vocab))
  const state = processors.length === 0 ? undefined : processorChain(processors).follow(prompt)
  const processed = new Float32Array(state === undefined ? 0 : lm.config.vocab)
  const rowOf = draftLogits(draft, vocab)
  let length = prompt.length
  const process = (logits: Float32Array, branch: readonly number[]): Float32Array => {
    if (state === undefined) return rowOf(logits)
    processed.fill(Number.NEGATIVE_INFINITY, vocab)
    processed.set(rowOf(logits))
    for (const token of branch) state.push(token)
    try {
      state.apply(processed)
    } finally {
      for (const _ of branch) state.pop()
    }
    return processed.subarray(0, vocab)
  }
  return {
    follow(tokens) {
      for (; length < tokens.length; length++) state?.push(tokens[length] ?? 0)
    },
    rank(logits, branch) {
      try {
        return ranking.rank(process(logits, branch), sequence, length + branch.length)
      } catch (error) {
        // after tokens that the output may never have: what cannot be chosen there is not drafted
        if (error instanceof ProcessorError) return NOTHING
        throw error
      }
    },
  }
}

const NOTHING: RankedTokens = { count: 0, tokens: new Int32Array(0), shares: new Float64Array(0) }
