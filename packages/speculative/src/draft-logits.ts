import type { CausalLM } from '@foretoken/models'

/**
 * Rows of logits of a draft model as rows over ids. Of one that was opened with a part of its head, the other tokens are impossible.
 *
 * @param vocab  ids that are wanted, those below it
 * @returns      a function of a row [logits] that gives one [vocab]: a part of the row, or the same array each time
 */
export function draftLogits({ config }: CausalLM, vocab: number): (logits: Float32Array) => Float32Array {
  const { headTokens } = config
  if (headTokens === undefined) return (logits) => logits.subarray(0, vocab)
  const row = new Float32Array(vocab).fill(Number.NEGATIVE_INFINITY)
  return (logits) => {
    for (let i = 0; i < headTokens.length; i++) row[headTokens[i] ?? 0] = logits[i] ?? 0 // writes beyond the row are nothing
    return row
  }
}
