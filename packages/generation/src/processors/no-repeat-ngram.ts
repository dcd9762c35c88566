import { ArgumentError } from '@foretoken/tensor'
import { type LogitsProcessor, prefixProcessor } from '../logits-processor.ts'

/**
 * Forbids every token that would complete an n-gram which the prompt or the output already holds; as transformers does.
 * One scan of the tokens per row.
 *
 * @param size  n >= 1; 1 forbids every token that has occurred
 */
export function noRepeatNgram(size: number): LogitsProcessor {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new ArgumentError({ field: 'noRepeatNgram', found: String(size), expected: 'a whole number >= 1' })
  }
  return prefixProcessor('no-repeat n-gram', (logits, { tokens }) => {
    const suffix = tokens.length - (size - 1) // where the last n - 1 tokens begin
    for (let start = 0; start < suffix; start++) {
      let same = 0
      while (same < size - 1 && tokens[start + same] === tokens[suffix + same]) same++
      if (same === size - 1) logits[tokens[start + same] ?? 0] = Number.NEGATIVE_INFINITY
    }
  })
}
