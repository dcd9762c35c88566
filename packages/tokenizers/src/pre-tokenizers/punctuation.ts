import { nativePattern } from '../patterns/text-pattern.ts'
import { AFTER_UNICODE_8 } from '../unicode-versions.ts'
import { type PreTokenizer, sequencePreTokenizer } from './pre-tokenizer.ts'
import { splitPreTokenizer } from './split.ts'
import type { SplitBehavior } from './split-behavior.ts'
import { whitespaceSplitPreTokenizer } from './whitespace.ts'

/** Unicode punctuation and what ASCII counts as such (the symbols `$+<=>^`, backquote, `|`, `~`). */
const PUNCTUATION = `[[\\p{P}--[${AFTER_UNICODE_8}]]$+<=>\\^\`\\|~]`

/** `Punctuation`: cuts at single punctuation characters. */
export function punctuationPreTokenizer(behavior: SplitBehavior): PreTokenizer {
  return splitPreTokenizer(nativePattern(PUNCTUATION), behavior)
}

/** `BertPreTokenizer`: words between white space, each punctuation character by itself. */
export function bertPreTokenizer(): PreTokenizer {
  return sequencePreTokenizer([whitespaceSplitPreTokenizer(), punctuationPreTokenizer('Isolated')])
}
