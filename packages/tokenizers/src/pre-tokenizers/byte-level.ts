import { toByteCharacters } from '../byte-alphabet.ts'
import { GPT2_PATTERN } from '../patterns/known-patterns.ts'
import { compilePattern } from '../patterns/text-pattern.ts'
import type { Piece, PreTokenizer } from './pre-tokenizer.ts'

/**
 * `ByteLevel`: cuts by the pattern of GPT-2 (unless another stage did the cutting) and writes each piece in the byte alphabet.
 * `addPrefixSpace` puts a space before a piece that has none, so that a first word is like any other.
 */
export function byteLevelPreTokenizer({ addPrefixSpace, useRegex }: { addPrefixSpace: boolean; useRegex: boolean }): PreTokenizer {
  const pattern = useRegex ? compilePattern(GPT2_PATTERN, 'pre_tokenizer') : undefined
  return {
    split({ text, start }, pieces: Piece[]) {
      const prefixed = addPrefixSpace && !text.startsWith(' ') ? ` ${text}` : text
      const added = prefixed.length - text.length
      if (pattern === undefined) {
        pieces.push({ text: toByteCharacters(prefixed), start })
        return
      }
      // The pattern covers every text without gaps: a character is white space, letter, number or something else.
      const found = pattern.findAll(prefixed)
      for (let i = 0; i < found.length; i += 2) {
        const from = found[i] ?? 0
        pieces.push({ text: toByteCharacters(prefixed.slice(from, found[i + 1])), start: start + Math.max(0, from - added) })
      }
    },
  }
}
