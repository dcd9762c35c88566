/**
 * Prompt lookup: the last tokens are searched in what came before; what followed them there is the draft. The longest match counts, of equals the
 * latest. After Saxena 2023, "Prompt Lookup Decoding". No memory beyond the text; one pass over it per step.
 */
import { chainAfterMatch, type Drafter } from '@foretoken/generation'
import { checkWholeNumbers } from '../whole-numbers.ts'

export interface PromptLookupOptions {
  /** Longest end of the text that is searched for. Default 8. */
  readonly longest?: number
  /** Shortest match that is drafted from. Default 2. */
  readonly shortest?: number
  /** Most tokens of a draft. Default 8. */
  readonly draftTokens?: number
}

/** @throws {ArgumentError} for a number that is not a whole one >= 1 */
export function promptLookup({ longest = 8, shortest = 2, draftTokens = 8 }: PromptLookupOptions = {}): Drafter {
  checkWholeNumbers({ longest, shortest, draftTokens })
  return {
    name: 'prompt lookup',
    begin: () => ({
      propose({ tokens, most, deepest }) {
        const { matched, end } = longestMatch(tokens, longest)
        if (matched < shortest) return undefined
        return chainAfterMatch(tokens.subarray(end, end + Math.min(draftTokens, most, deepest)), matched)
      },
    }),
  }
}

/** The longest end of the text that also ends at an earlier place, and the place behind it. */
function longestMatch(tokens: Int32Array, longest: number): { readonly matched: number; readonly end: number } {
  const last = tokens.length - 1
  let matched = 0
  let end = 0
  for (let at = last - 1; at >= 0 && matched < longest; at--) {
    let length = 0
    while (length < longest && length <= at && tokens[at - length] === tokens[last - length]) length++
    if (length > matched) {
      matched = length
      end = at + 1
    }
  }
  return { matched, end }
}
