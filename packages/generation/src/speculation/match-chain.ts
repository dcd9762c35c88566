import type { Proposal } from '../drafter.ts'

/**
 * The text after a match as a chain: each token that holds makes the match one longer, and a longer match is the surer one.
 *
 * @param text     [tokens] what followed the match
 * @param matched  its length
 */
export function chainAfterMatch(text: Int32Array, matched: number): Proposal | undefined {
  if (text.length === 0) return undefined
  return {
    tokens: text.slice(),
    parents: Int32Array.from(text, (_, i) => i - 1),
    confidences: Float64Array.from(text, (_, i) => (matched + i) / (matched + i + 2)),
  }
}
