import type { Tokenizer } from '@foretoken/tokenizers'
import type { EncodedPrompt } from './prompt.ts'
import { createStopStringMatcher } from './stop-strings.ts'

/** Tokens to text that is certain: no half characters, and nothing that may still become a stop string. */
export interface TextStream {
  push(token: number): { readonly text: string; readonly isStopped: boolean }
  flush(): { readonly text: string; readonly isStopped: boolean }
}

/** A character has at most four bytes, so no more tokens of the prompt can share one with the output. */
const SHARED_TOKENS = 4

const NO_TEXT = { text: '', isStopped: false } as const

/**
 * Without a tokenizer all text is empty (stop strings have been refused by then). A decoder that continues the prompt is fed its last tokens first: a word piece then keeps
 * the space before it, and a character begun in the prompt is completed.
 */
export function createTextStream(
  tokenizer: Tokenizer | undefined,
  prompt: EncodedPrompt,
  options: { readonly stopStrings: readonly string[]; readonly skipSpecialTokens: boolean },
): TextStream {
  if (tokenizer === undefined) return { push: () => NO_TEXT, flush: () => NO_TEXT }
  const matcher = createStopStringMatcher(options.stopStrings)
  const decoder = tokenizer.stream({ skipSpecialTokens: options.skipSpecialTokens })
  if (prompt.isContinued) for (const token of prompt.tokens.subarray(-SHARED_TOKENS)) decoder.push(token)
  return {
    push: (token) => matcher.push(decoder.push(token)),
    flush() {
      const last = matcher.push(decoder.flush())
      return last.isStopped ? last : { text: last.text + matcher.flush(), isStopped: false }
    },
  }
}
