/** String literals of templates: Python's escapes, in which an unknown escape keeps its backslash. */

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['v', '\v'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['\n', ''],
])

const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

/**
 * @param start  position of the opening quote
 * @returns      the value and the position after the closing quote; undefined when the literal is broken
 */
export function readString(source: string, start: number): { value: string; end: number } | undefined {
  const quote = source[start] ?? ''
  const parts: string[] = []
  let position = start + 1
  for (let from = position; ; from = position) {
    while (position < source.length && source[position] !== quote && source[position] !== '\\') position += 1
    if (position >= source.length) return undefined
    parts.push(source.slice(from, position))
    if (source[position] === quote) return { value: parts.join(''), end: position + 1 }
    const escaped = readEscape(source, position + 1)
    if (escaped === undefined) return undefined
    parts.push(escaped.value)
    position = escaped.end
  }
}

function readEscape(source: string, position: number): { value: string; end: number } | undefined {
  const character = source[position]
  if (character === undefined) return undefined
  const simple = SIMPLE_ESCAPES.get(character)
  if (simple !== undefined) return { value: simple, end: position + 1 }
  const digits = HEX_DIGITS.get(character)
  if (digits !== undefined) {
    const hex = source.slice(position + 1, position + 1 + digits)
    if (hex.length < digits || !/^[\da-fA-F]+$/.test(hex)) return undefined
    const code = Number.parseInt(hex, 16)
    return code > 0x10ffff ? undefined : { value: String.fromCodePoint(code), end: position + 1 + digits }
  }
  if (character === 'N') return undefined
  const octal = /[0-7]{1,3}/y
  octal.lastIndex = position
  const found = octal.exec(source)?.[0]
  if (found !== undefined) return { value: String.fromCodePoint(Number.parseInt(found, 8)), end: position + found.length }
  return { value: `\\${character}`, end: position + 1 }
}
