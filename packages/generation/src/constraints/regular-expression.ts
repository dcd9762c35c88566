/**
 * Regular expressions as grammars: JavaScript's syntax with the `u` flag, as JSON Schema wants it, without what is not regular or looks around. At the
 * very beginning a look-ahead is understood, since well-known patterns (e-mail addresses) begin with one.
 */
import { ConstraintError } from '../errors.ts'
import {
  type CodePointRange,
  character,
  choice,
  commonRanges,
  complementOf,
  type Expression,
  MAX_CODE_POINT,
  NOTHING,
  repeat,
  sequence,
} from './expression.ts'

/** A pattern that has to match somewhere in the text (everywhere, between anchors). */
export interface ParsedPattern {
  /** Of whole texts. */
  readonly expression: Expression
  /** Whole texts that must match as well, or must not. */
  readonly ahead: readonly { readonly expression: Expression; readonly isForbidden: boolean }[]
}

const DIGITS: CodePointRange[] = [[0x30, 0x39]]
// biome-ignore format: one list
const WORD: CodePointRange[] = [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]
// biome-ignore format: one list
const SPACE: CodePointRange[] = [[9, 13], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff]]
// biome-ignore format: one list
const LINE_ENDS: CodePointRange[] = [[10, 10], [13, 13], [0x2028, 0x2029]]
const CLASSES = new Map<string, readonly CodePointRange[]>([
  ['d', DIGITS],
  ['D', complementOf(DIGITS)],
  ['w', WORD],
  ['W', complementOf(WORD)],
  ['s', SPACE],
  ['S', complementOf(SPACE)],
])
const CONTROLS = new Map([
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['f', 12],
  ['v', 11],
  ['0', 0],
])
const SYNTAX = '^$\\.*+?()[]{}|/-'
const ANYTHING = repeat(character([0, MAX_CODE_POINT]), 0)
/** Longest repetition that is taken literally. */
const MOST_REPEATS = 10_000
const DEEPEST = 200

/**
 * @param field    where the pattern stands, for errors
 * @param isWhole  whether the pattern is for the whole text although it has no anchors
 * @throws {ConstraintError} for a mistake, or what is not supported (groups that are referred to, look-around, word borders, Unicode properties)
 */
export function parsePattern(pattern: string, field: string, isWhole = false): ParsedPattern {
  const characters = Array.from(pattern)
  let at = 0
  let depth = 0
  /** Whether a "^" has been read that stands before look-ahead. */
  let isBegun = false
  const refuse = (found: string, expected: string): never => {
    throw new ConstraintError({ field, found: `${found} at character ${at} of ${JSON.stringify(pattern)}`, expected })
  }
  const peek = (expected: string) => characters.slice(at, at + expected.length).join('') === expected
  const take = (expected: string): boolean => {
    if (!peek(expected)) return false
    at += expected.length
    return true
  }

  /** @param isOutermost  whether anchors may stand at its ends; what is not anchored has anything beside it */
  const alternatives = (isOutermost: boolean): Expression => {
    if (++depth > DEEPEST) refuse('groups in groups', `at most ${DEEPEST} levels`)
    const parts: Expression[] = []
    do parts.push(isOutermost ? wholeSequence() : terms())
    while (take('|'))
    depth--
    return parts.length === 1 ? (parts[0] ?? NOTHING) : choice(...parts)
  }
  const wholeSequence = (): Expression => {
    const begins = isBegun || take('^')
    isBegun = false
    const body = terms()
    const ends = take('$')
    if (at < characters.length && !peek('|') && !peek(')')) refuse(`"${characters[at]}" after "$"`, 'the end of the pattern')
    return sequence(...(begins || isWhole ? [] : [ANYTHING]), body, ...(ends || isWhole ? [] : [ANYTHING]))
  }
  const terms = (): Expression => {
    const parts: Expression[] = []
    while (at < characters.length && !peek('|') && !peek(')') && !peek('$')) parts.push(quantified(atom()))
    return sequence(...parts)
  }
  const quantified = (part: Expression): Expression => {
    let result = part
    const counts = take('*') ? [0, Number.POSITIVE_INFINITY] : take('+') ? [1, Number.POSITIVE_INFINITY] : take('?') ? [0, 1] : braces()
    if (counts === undefined) return part
    const [least = 0, most = least] = counts
    if (least > most) refuse(`{${least},${most}}`, 'a smaller number first')
    if (least > MOST_REPEATS || (most > MOST_REPEATS && most !== Number.POSITIVE_INFINITY)) {
      refuse(`${Math.max(least, most)} repetitions`, `at most ${MOST_REPEATS}`)
    }
    take('?') // which match is found first does not change which texts match
    result = repeat(part, least, most)
    if (peek('*') || peek('+') || peek('?') || peek('{')) refuse('a second quantifier', 'one')
    return result
  }
  const braces = (): number[] | undefined => {
    if (!peek('{')) return undefined
    const match = /^\{(\d{1,9})(,(\d{0,9}))?\}/.exec(characters.slice(at, at + 24).join(''))
    if (match === null) return refuse('"{"', 'a number of repetitions, or \\{')
    at += match[0].length
    const least = Number(match[1])
    return [least, match[2] === undefined ? least : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])]
  }
  const atom = (): Expression => {
    if (take('(')) {
      if (peek('?=') || peek('?!') || peek('?<=') || peek('?<!')) refuse('a look-around', 'look-ahead at the very beginning only')
      if (take('?<')) while (at < characters.length && !take('>')) at++
      else if (take('?') && !take(':')) refuse('"(?"', '"(?:"')
      if (peek('^')) refuse('"^" inside of a group', 'anchors at the ends of the pattern only')
      const inner = alternatives(false)
      if (!take(')')) refuse('the end, or "$" inside of a group', '")"')
      return inner
    }
    if (take('[')) return character(...characterClass())
    if (take('.')) return character(...complementOf(LINE_ENDS))
    if (take('\\')) return character(...escaped(false))
    const next = characters[at] ?? ''
    if ('*+?{}])^'.includes(next)) refuse(JSON.stringify(next), 'a character, a class or a group')
    at++
    const code = next.codePointAt(0) ?? 0
    return character([code, code])
  }
  const escaped = (isInClass: boolean): readonly CodePointRange[] => {
    const letter = characters[at++] ?? ''
    const known = CLASSES.get(letter)
    if (known !== undefined) return known
    const single = (code: number): CodePointRange[] => [[code, code]]
    const control = CONTROLS.get(letter)
    if (control !== undefined) return single(control)
    if (letter === 'b' && isInClass) return single(8)
    if (letter === 'x') return single(hex(2))
    if (letter === 'u') {
      if (!take('{')) return single(hex(4))
      const end = characters.indexOf('}', at)
      const code = Number.parseInt(characters.slice(at, end).join(''), 16)
      if (end < 0 || !(code <= MAX_CODE_POINT)) refuse('"\\u{"', 'a code point and "}"')
      at = end + 1
      return single(code)
    }
    if (letter !== '' && SYNTAX.includes(letter)) return single(letter.codePointAt(0) ?? 0)
    at--
    return refuse(`"\\${letter}"`, 'one of \\d \\w \\s \\D \\W \\S \\n \\r \\t \\f \\v \\0 \\x \\u, or a sign')
  }
  const hex = (length: number): number => {
    const digits = characters.slice(at, at + length).join('')
    if (digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits)) refuse(JSON.stringify(digits), `${length} hexadecimal digits`)
    at += length
    return Number.parseInt(digits, 16)
  }
  const characterClass = (): CodePointRange[] => {
    const isNegated = take('^')
    const ranges: CodePointRange[] = []
    while (!take(']')) {
      if (at >= characters.length) refuse('the end', '"]"')
      const low = classMember()
      if (peek('-') && characters[at + 1] !== ']' && characters[at + 1] !== undefined) {
        at++
        const high = classMember()
        const from = low[0]?.[0] ?? 0
        const to = high[0]?.[0] ?? 0
        if (low.length !== 1 || high.length !== 1 || low[0]?.[1] !== from || high[0]?.[1] !== to || from > to) {
          refuse('a range', 'two characters, the smaller first')
        }
        ranges.push([from, to])
      } else ranges.push(...low)
    }
    return isNegated ? complementOf(ranges) : commonRanges(ranges, [[0, MAX_CODE_POINT]])
  }
  const classMember = (): readonly CodePointRange[] => {
    if (take('\\')) return escaped(true)
    const code = characters[at++]?.codePointAt(0) ?? 0
    return [[code, code]]
  }

  const ahead: { expression: Expression; isForbidden: boolean }[] = []
  const hasAhead = peek('^(?=') || peek('^(?!')
  while (hasAhead && (take('^(?=') || take('^(?!') || take('(?=') || take('(?!'))) {
    const isForbidden = characters[at - 1] === '!'
    const inner = terms()
    const isAnchored = take('$')
    if (!take(')')) refuse('look-ahead with alternatives', 'one alternative and ")"')
    ahead.push({ expression: sequence(inner, ...(isAnchored ? [] : [ANYTHING])), isForbidden })
  }
  isBegun = hasAhead
  const expression = alternatives(true)
  if (at < characters.length) refuse(JSON.stringify(characters[at]), 'the end of the pattern')
  if (hasAhead && expression.kind === 'choice') refuse('look-ahead before alternatives', 'a group around them')
  return { expression, ahead }
}
