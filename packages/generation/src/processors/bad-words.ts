import { ArgumentError } from '@foretoken/tensor'
import { type LogitsProcessor, prefixProcessor } from '../logits-processor.ts'

/**
 * Forbids token sequences: the last token of a sequence is forbidden where the tokens before it, prompt included, are the
 * sequence's other tokens. As transformers does, except that a stop token on the list is forbidden as well.
 *
 * @param words  sequences of at least one token id each
 */
export function badWords(words: readonly ArrayLike<number>[]): LogitsProcessor {
  const sequences = words.map((word) => Int32Array.from(word))
  for (const [index, sequence] of sequences.entries()) {
    if (sequence.length === 0) {
      throw new ArgumentError({ field: `badWords[${index}]`, found: 'no tokens', expected: 'a sequence of at least one token' })
    }
  }
  return prefixProcessor('bad words', (logits, { tokens }) => {
    for (const sequence of sequences) {
      const before = sequence.length - 1
      if (before > tokens.length) continue
      let same = 0
      while (same < before && tokens[tokens.length - before + same] === sequence[same]) same++
      if (same === before) logits[sequence[before] ?? 0] = Number.NEGATIVE_INFINITY
    }
  })
}
