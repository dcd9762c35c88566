/**
 * How many cells of a terminal a character takes: two for East Asian and emoji characters, none for marks that join the one before.
 * After Unicode Standard Annex 11, by script instead of by table: right for text, a guess for rare symbols.
 */
const NO_CELLS = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const TWO_CELLS =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u

/** @param character  one code point; control characters have no width of their own */
export function cellWidth(character: string): 0 | 1 | 2 {
  if (character < '\u0300') return 1
  if (NO_CELLS.test(character)) return 0
  return TWO_CELLS.test(character) ? 2 : 1
}
