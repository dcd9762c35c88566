import { nativePattern } from '../patterns/text-pattern.ts'
import type { PreTokenizer } from './pre-tokenizer.ts'
import { splitPreTokenizer } from './split.ts'

/** `WhitespaceSplit`: cuts at white space and drops it. */
export function whitespaceSplitPreTokenizer(): PreTokenizer {
  return splitPreTokenizer(nativePattern('\\p{White_Space}'), 'Removed')
}

const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'

/** `Whitespace`: runs of word characters and runs of other visible characters; white space is dropped. */
export function whitespacePreTokenizer(): PreTokenizer {
  return splitPreTokenizer(nativePattern(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`), 'Removed', true)
}
