import { nativePattern, type TextPattern } from '../patterns/text-pattern.ts'
import type { PreTokenizer } from './pre-tokenizer.ts'
import { type SplitBehavior, splitAt } from './split-behavior.ts'

/** `Split`: cuts at a pattern. Inverted, the matches are the pieces and what lies between them the delimiters. */
export function splitPreTokenizer(pattern: TextPattern, behavior: SplitBehavior, isInverted = false): PreTokenizer {
  return {
    split(piece, pieces) {
      splitAt(piece, pattern.findAll(piece.text), behavior, isInverted, pieces)
    },
  }
}

/** `CharDelimiterSplit`: cuts at a character and drops it. */
export function characterDelimiterPreTokenizer(delimiter: TextPattern): PreTokenizer {
  return splitPreTokenizer(delimiter, 'Removed')
}

/** `Digits`: sets numbers apart, each numeric character or each run of them. */
export function digitsPreTokenizer(isIndividual: boolean): PreTokenizer {
  return splitPreTokenizer(nativePattern('\\p{N}'), isIndividual ? 'Isolated' : 'Contiguous')
}
