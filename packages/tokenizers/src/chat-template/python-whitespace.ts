/** Whitespace as Python's `str` methods understand it, which differs from JavaScript's in U+001C to U+001F, U+0085 and U+FEFF. */
export function isPythonSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f)
  if (code < 0x85) return false
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  )
}

/** First position at or after `start` that is not whitespace; `end` when there is none. */
export function skipSpaces(text: string, start: number, end: number = text.length): number {
  let position = start
  while (position < end && isPythonSpace(text.charCodeAt(position))) position += 1
  return position
}

/** End of the text without its trailing whitespace. */
export function endBeforeSpaces(text: string, start: number, end: number = text.length): number {
  let position = end
  while (position > start && isPythonSpace(text.charCodeAt(position - 1))) position -= 1
  return position
}
