import { AFTER_UNICODE_12 } from '../unicode-versions.ts'
import type { Normalizer } from './normalizer.ts'

const isWhiteSpace = (character: string | undefined) => character !== undefined && /\p{White_Space}/u.test(character)

/** `Strip`: removes white space at the ends. */
export function stripNormalizer({ left, right }: { left: boolean; right: boolean }): Normalizer {
  return {
    normalize(text) {
      let start = 0
      let end = text.length
      // White space is in the Basic Multilingual Plane throughout.
      if (left) while (start < end && isWhiteSpace(text[start])) start++
      if (right) while (end > start && isWhiteSpace(text[end - 1])) end--
      return text.slice(start, end)
    },
  }
}

/** `StripAccents`: removes combining marks; composed letters keep theirs unless a decomposition came before. */
export function stripAccentsNormalizer(): Normalizer {
  return { normalize: (text) => text.replaceAll(MARKS, '') }
}

const MARKS = new RegExp(`[\\p{M}--[${AFTER_UNICODE_12}]]`, 'gv')
