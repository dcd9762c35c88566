import { AFTER_UNICODE_8 } from '../unicode-versions.ts'
import { lowercase } from './lowercase.ts'
import type { Normalizer } from './normalizer.ts'
import { normalizeForm } from './unicode-form.ts'

export interface BertOptions {
  /** Removes control characters and writes every white space as a space. */
  readonly cleanText: boolean
  /** Sets each Chinese character apart by spaces. */
  readonly handleChineseCharacters: boolean
  readonly stripAccents: boolean
  readonly lowercase: boolean
}

/** `BertNormalizer`: the cleaning of BERT's basic tokenizer. */
export function bertNormalizer(options: BertOptions): Normalizer {
  return {
    normalize(text) {
      let current = text
      if (options.cleanText) current = current.replaceAll(REMOVED, '').replaceAll(/\p{White_Space}/gu, ' ')
      if (options.handleChineseCharacters) current = current.replaceAll(CHINESE, ' $& ')
      if (options.stripAccents) current = normalizeForm(current, 'NFD').replaceAll(ACCENTS, '')
      return options.lowercase ? lowercase(current) : current
    },
  }
}

// Control, format and private-use characters; tab, line feed and carriage return stay and become spaces.
const REMOVED = new RegExp(`[[\\p{Cc}\\p{Cf}\\p{Co}\\ufffd]--[\\t\\n\\r${AFTER_UNICODE_8}]]`, 'gv')
const ACCENTS = new RegExp(`[\\p{Mn}--[${AFTER_UNICODE_8}]]`, 'gv')
// The blocks that the reference lists; one of them, from 2B820, it lists from 2B920.
const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu
