import type { PreTokenizer } from './pre-tokenizer.ts'

/** `FixedLength`: pieces of a fixed number of characters; the last may be shorter. */
export function fixedLengthPreTokenizer(characters: number): PreTokenizer {
  return {
    split({ text, start }, pieces) {
      let from = 0
      let count = 0
      for (let at = 0; at < text.length; ) {
        at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
        count++
        if (count < characters && at < text.length) continue
        pieces.push({ text: text.slice(from, at), start: start + from })
        from = at
        count = 0
      }
    },
  }
}
