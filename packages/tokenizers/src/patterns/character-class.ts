import { PatternError } from '../errors.ts'

/**
 * Character classes of Oniguruma as operands of a JavaScript class with the `v` flag. The shorthands differ: `\s` is Unicode's
 * White_Space (JavaScript adds U+FEFF and leaves out U+0085), `\d` is every decimal digit, `\w` every letter, mark, digit and connector,
 * `\h` a hexadecimal digit.
 */
const SHORTHANDS = new Map([
  ['s', '\\p{White_Space}'],
  ['d', '\\p{Nd}'],
  ['w', '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}'],
  ['h', '0-9a-fA-F'],
])

/** Names of Oniguruma's properties and POSIX brackets that JavaScript writes differently; letters and digits only, lower case. */
const PROPERTIES = new Map([
  ['alnum', '\\p{Alphabetic}\\p{Nd}'],
  ['alpha', '\\p{Alphabetic}'],
  ['ascii', '\\p{ASCII}'],
  ['blank', '\\p{Zs}\\t'],
  ['cntrl', '\\p{Cc}'],
  ['digit', '\\p{Nd}'],
  ['graph', '[\\p{Any}--[\\p{White_Space}\\p{Cc}\\p{Cs}\\p{Cn}]]'],
  ['lower', '\\p{Lowercase}'],
  ['print', '[\\p{Any}--[[\\p{White_Space}--\\p{Zs}]\\p{Cc}\\p{Cs}\\p{Cn}]]'],
  ['punct', '\\p{P}$+<=>\\^`\\|~'],
  ['space', '\\p{White_Space}'],
  ['upper', '\\p{Uppercase}'],
  ['xdigit', '0-9a-fA-F'],
  ['word', '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}'],
])

/** The operand of `\s`, `\d`, `\w`, `\h` or of their capitals, which are the complements. */
export function shorthandOperand(letter: string): string | undefined {
  const positive = SHORTHANDS.get(letter.toLowerCase())
  if (positive === undefined) return undefined
  return letter === letter.toLowerCase() ? positive : `[^${positive}]`
}

/** The operand of `\p{name}`; undefined for a name that neither side knows. */
export function propertyOperand(name: string): string | undefined {
  const known = PROPERTIES.get(name.toLowerCase().replaceAll(/[\s_-]/g, ''))
  if (known !== undefined) return known
  // Property names of strings (emoji sequences) exist with the `v` flag only; a set holds single characters.
  return [`\\p{${name}}`, `\\p{Script=${name}}`].find((candidate) => isValidPattern(candidate, 'u'))
}

/** A character as an operand or as a piece of a pattern. */
export function escapeCharacter(codePoint: number): string {
  const isPlain = (codePoint >= 48 && codePoint <= 57) || (codePoint >= 65 && codePoint <= 90) || (codePoint >= 97 && codePoint <= 122)
  return isPlain ? String.fromCharCode(codePoint) : `\\u{${codePoint.toString(16)}}`
}

const MAX_FOLDED_RANGE = 4096

/** A range of characters; with case folding also their other cases. */
export function rangeOperand(first: number, last: number, ignoreCase: boolean): string {
  const range = first === last ? escapeCharacter(first) : `${escapeCharacter(first)}-${escapeCharacter(last)}`
  if (!ignoreCase) return range
  if (last - first > MAX_FOLDED_RANGE)
    throw new PatternError({ found: `a range of ${last - first + 1} characters under (?i)`, expected: `at most ${MAX_FOLDED_RANGE}` })
  const others = new Set<number>()
  for (let code = first; code <= last; code++) for (const other of otherCases(code)) if (other < first || other > last) others.add(other)
  return range + [...others].map(escapeCharacter).join('')
}

/** A property under (?i): letters of one case stand for letters of all cases. */
export function foldedProperty(operand: string): string {
  return /^\\p\{(L[ult]|Lowercase|Uppercase)\}$/.test(operand) ? '\\p{Lu}\\p{Ll}\\p{Lt}' : operand
}

// Two letters whose lower case is in ASCII and which are not its upper case: long s and the Kelvin sign.
const EXTRA_CASES = new Map([
  ['s', 'ſ'],
  ['k', '\u212a'],
])

function otherCases(codePoint: number): number[] {
  const character = String.fromCodePoint(codePoint)
  const lower = character.toLowerCase()
  const forms = [lower, character.toUpperCase(), EXTRA_CASES.get(lower)]
  return forms.flatMap((form) => (form !== undefined && form !== character && [...form].length === 1 ? [form.codePointAt(0) ?? 0] : []))
}

function isValidPattern(source: string, flags: string): boolean {
  try {
    new RegExp(source, flags)
    return true
  } catch {
    return false
  }
}
