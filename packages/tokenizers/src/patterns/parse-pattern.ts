import { PatternError } from '../errors.ts'
import { escapeCharacter, foldedProperty, propertyOperand, rangeOperand, shorthandOperand } from './character-class.ts'
import type { AnchorKind, PatternNode } from './pattern-tree.ts'

/**
 * Parser of Oniguruma's Ruby syntax, as far as a tokenizer can use it: everything that describes which characters match. Captures are
 * plain groups; back-references, calls, conditionals, absent operators and atomic groups of more than one character are refused by name.
 * Nesting and repetition counts are limited, since patterns come from files that may be hostile.
 */
export function parsePattern(source: string, field: string): PatternNode {
  const parser: Parser = { source, field, at: 0, depth: 0 }
  const node = parseChoice(parser, { ignoreCase: false, dotAll: false, extended: false })
  if (parser.at < source.length) throw fail(parser, "')'", 'a group that it closes')
  return node
}

const MAX_DEPTH = 100
const MAX_REPEAT = 1000

interface Parser {
  readonly source: string
  readonly field: string
  at: number
  depth: number
}

interface Options {
  readonly ignoreCase: boolean
  readonly dotAll: boolean
  readonly extended: boolean
}

const EMPTY: PatternNode = { kind: 'sequence', items: [] }
const ANY: PatternNode = { kind: 'set', set: { source: '[\\p{Any}]' } }
const NOT_NEWLINE: PatternNode = { kind: 'set', set: { source: '[^\\n]' } }
const ANCHORS = new Map<string, AnchorKind>([
  ['A', 'text-start'],
  ['z', 'text-end'],
  ['Z', 'last-line-end'],
  ['b', 'word-boundary'],
  ['B', 'no-word-boundary'],
])
const CONTROLS = new Map([
  ['n', 10],
  ['t', 9],
  ['r', 13],
  ['f', 12],
  ['v', 11],
  ['a', 7],
  ['e', 27],
])

function fail(parser: Parser, found: string, expected: string): PatternError {
  const { source, field, at } = parser
  return new PatternError({ found: `${found} in the pattern ${JSON.stringify(source.slice(0, 200))}`, expected, field, offset: at })
}

function parseChoice(parser: Parser, options: Options): PatternNode {
  if (++parser.depth > MAX_DEPTH) throw fail(parser, `groups nested deeper than ${MAX_DEPTH}`, 'a flatter pattern')
  const choices = [parseSequence(parser, options)]
  while (parser.source[parser.at] === '|') {
    parser.at++
    choices.push(parseSequence(parser, options))
  }
  parser.depth--
  const [only] = choices
  return choices.length === 1 && only !== undefined ? only : { kind: 'choice', options: choices }
}

function parseSequence(parser: Parser, start: Options): PatternNode {
  const items: PatternNode[] = []
  let options = start
  for (;;) {
    const next = parser.source[parser.at]
    if (next === undefined || next === '|' || next === ')') break
    if (options.extended && /[\s#]/.test(next)) {
      skipExtended(parser)
      continue
    }
    const changed = parseOptionChange(parser, options)
    if (changed !== undefined) {
      options = changed
      // An option without its own group governs the rest of the enclosing group, alternatives included.
      if (parser.source[parser.at - 1] === ')') {
        items.push(parseChoice(parser, options))
        break
      }
      const body = parseChoice(parser, options)
      closeGroup(parser)
      options = start
      items.push(parseQuantifiers(parser, body))
      continue
    }
    items.push(parseQuantifiers(parser, parseAtom(parser, options)))
  }
  const [only] = items
  return items.length === 1 && only !== undefined ? only : { kind: 'sequence', items }
}

/** Reads `(?imx-imx)` or `(?imx-imx:`; undefined when there is something else. */
function parseOptionChange(parser: Parser, options: Options): Options | undefined {
  const match = /^\(\?([imx]*)(?:-([imx]*))?[:)]/.exec(parser.source.slice(parser.at, parser.at + 12))
  if (match === null || match[0] === '(?:' || match[0] === '(?)') return undefined
  parser.at += match[0].length
  const [, on = '', off = ''] = match
  const read = (letter: string, before: boolean) => (on.includes(letter) || before) && !off.includes(letter)
  return { ignoreCase: read('i', options.ignoreCase), dotAll: read('m', options.dotAll), extended: read('x', options.extended) }
}

function skipExtended(parser: Parser): void {
  if (parser.source[parser.at] !== '#') {
    parser.at++
    return
  }
  const end = parser.source.indexOf('\n', parser.at)
  parser.at = end < 0 ? parser.source.length : end
}

function parseAtom(parser: Parser, options: Options): PatternNode {
  const character = takeCharacter(parser)
  switch (character) {
    case '(':
      return parseGroup(parser, options)
    case '[':
      return { kind: 'set', set: { source: parseClass(parser, options) } }
    case '.':
      return options.dotAll ? ANY : NOT_NEWLINE
    case '^':
      return { kind: 'anchor', at: 'line-start' }
    case '$':
      return { kind: 'anchor', at: 'line-end' }
    case '\\':
      return parseEscape(parser, options)
    case '*':
    case '+':
    case '?':
      throw fail(parser, `'${character}' with nothing before it`, 'something to repeat')
    default:
      return literal(character.codePointAt(0) ?? 0, options)
  }
}

function literal(codePoint: number, options: Options): PatternNode {
  return { kind: 'set', set: { source: `[${rangeOperand(codePoint, codePoint, options.ignoreCase)}]` } }
}

function takeCharacter(parser: Parser): string {
  const codePoint = parser.source.codePointAt(parser.at)
  if (codePoint === undefined) throw fail(parser, 'the end', 'more of the pattern')
  const character = String.fromCodePoint(codePoint)
  parser.at += character.length
  return character
}

function closeGroup(parser: Parser): void {
  if (parser.source[parser.at] !== ')') throw fail(parser, 'the end', "')'")
  parser.at++
}

function parseGroup(parser: Parser, options: Options): PatternNode {
  const rest = parser.source.slice(parser.at)
  const comment = /^\?#[^)]*\)/.exec(rest)
  if (comment !== null) {
    parser.at += comment[0].length
    return EMPTY
  }
  const head = /^\?(:|=|!|>|<=|<!|<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/.exec(rest)
  if (head === null && rest.startsWith('?'))
    throw fail(parser, `the group '(${rest.slice(0, 3)}'`, '(?:, (?=, (?!, (?<=, (?<!, (?i: or a plain group')
  parser.at += head?.[0].length ?? 0
  const body = parseChoice(parser, options)
  closeGroup(parser)
  switch (head?.[1]) {
    case '=':
    case '!':
      return { kind: 'look', body, isAhead: true, isNegative: head[1] === '!' }
    case '<=':
    case '<!':
      return { kind: 'look', body, isAhead: false, isNegative: head[1] === '<!' }
    case '>':
      return makeAtomic(parser, body)
    default:
      return body
  }
}

/** An atomic group around a repeated set is a possessive repetition; around a set or a look-around it is nothing. */
function makeAtomic(parser: Parser, body: PatternNode): PatternNode {
  if (body.kind === 'set' || body.kind === 'look' || body.kind === 'anchor') return body
  if (body.kind === 'repeat' && body.body.kind === 'set' && body.mode !== 'lazy') return { ...body, mode: 'possessive' }
  throw fail(parser, 'an atomic group or a possessive repetition of more than one character', 'one around a single character or class')
}

function parseQuantifiers(parser: Parser, atom: PatternNode): PatternNode {
  let node = atom
  for (;;) {
    const match = /^(?:([*+?])|\{(\d+)\}|\{(\d*),(\d*)\})/.exec(parser.source.slice(parser.at, parser.at + 24))
    // `{` that starts no count is an ordinary character; so is `{,}`.
    if (match === null || match[0] === '{,}') return node
    parser.at += match[0].length
    const [, sign, exact, from, to] = match
    const least = sign === '+' ? 1 : Number(exact ?? from ?? 0)
    const most =
      sign === '?' ? 1 : exact !== undefined ? Number(exact) : to !== undefined && to !== '' ? Number(to) : Number.POSITIVE_INFINITY
    if (least > most) throw fail(parser, match[0], 'a count whose first number is not the greater')
    if (least > MAX_REPEAT || (most > MAX_REPEAT && most !== Number.POSITIVE_INFINITY))
      throw fail(parser, match[0], `at most ${MAX_REPEAT} repetitions`)
    node = { kind: 'repeat', body: node, least, most, mode: 'greedy' }
    const suffix = parser.source[parser.at]
    if (suffix === '?' && exact === undefined) {
      parser.at++
      node = { ...node, mode: 'lazy' }
    } else if (suffix === '+' && sign !== undefined) {
      parser.at++
      node = makeAtomic(parser, node)
    }
  }
}

function parseEscape(parser: Parser, options: Options): PatternNode {
  const at = ANCHORS.get(parser.source[parser.at] ?? '')
  if (at !== undefined) {
    parser.at++
    return { kind: 'anchor', at }
  }
  const letter = parser.source[parser.at]
  if (letter === 'R') {
    parser.at++
    const pair: PatternNode = { kind: 'sequence', items: [literal(13, options), literal(10, options)] }
    return { kind: 'choice', options: [pair, { kind: 'set', set: { source: '[\\n-\\r\\u{85}\\u{2028}\\u{2029}]' } }] }
  }
  if (letter === 'O' || letter === 'N') {
    parser.at++
    return letter === 'O' ? ANY : NOT_NEWLINE
  }
  const { operand } = parseClassEscape(parser, options, false)
  return { kind: 'set', set: { source: `[${operand}]` } }
}

/** What follows a backslash and denotes characters: one code point, or the operand of a set. */
function parseClassEscape(parser: Parser, options: Options, isInClass: boolean): { operand: string; codePoint?: number } {
  const letter = takeCharacter(parser)
  const shorthand = shorthandOperand(letter)
  if (shorthand !== undefined) return { operand: shorthand }
  if (letter === 'p' || letter === 'P') return { operand: parseProperty(parser, letter === 'P', options) }
  const codePoint = parseCodePoint(parser, letter, isInClass)
  return { operand: rangeOperand(codePoint, codePoint, options.ignoreCase), codePoint }
}

function parseProperty(parser: Parser, isCapital: boolean, options: Options): string {
  const match = /^\{(\^?)([\w\s=-]+)\}/.exec(parser.source.slice(parser.at, parser.at + 80))
  if (match === null) throw fail(parser, 'a property without a name in braces', '\\p{Name}')
  const [whole, caret, name = ''] = match
  const operand = propertyOperand(name)
  if (operand === undefined) throw fail(parser, `the property ${JSON.stringify(name)}`, 'a Unicode category, script or property')
  parser.at += whole.length
  const folded = options.ignoreCase ? foldedProperty(operand) : operand
  return isCapital !== (caret === '^') ? `[^${folded}]` : folded
}

function parseCodePoint(parser: Parser, letter: string, isInClass: boolean): number {
  const rest = parser.source.slice(parser.at, parser.at + 12)
  const control = CONTROLS.get(letter) ?? (isInClass && letter === 'b' ? 8 : undefined)
  if (control !== undefined) return control
  const numeric =
    letter === 'x'
      ? (/^\{([0-9a-fA-F]{1,8})\}/.exec(rest) ?? /^([0-9a-fA-F]{1,2})/.exec(rest))
      : letter === 'u'
        ? /^([0-9a-fA-F]{4})/.exec(rest)
        : null
  if (numeric !== null) {
    const codePoint = Number.parseInt(numeric[1] ?? '', 16)
    if (codePoint > 0x10ffff) throw fail(parser, `the character ${codePoint.toString(16)}`, 'at most 10ffff')
    parser.at += numeric[0].length
    return codePoint
  }
  if (letter === '0') {
    const octal = /^[0-7]{0,2}/.exec(rest)?.[0] ?? ''
    parser.at += octal.length
    return Number.parseInt(`0${octal}`, 8)
  }
  if (/[\p{L}\p{N}]/u.test(letter)) throw fail(parser, `the escape \\${letter}`, 'an escape that denotes characters')
  return letter.codePointAt(0) ?? 0
}

const POSIX = /^\[:(\^?)([a-z]+):\]/

/** The class that follows `[`, as a class for the `v` flag. Nested classes are unions; `&&` intersects. */
function parseClass(parser: Parser, options: Options): string {
  if (++parser.depth > MAX_DEPTH) throw fail(parser, `classes nested deeper than ${MAX_DEPTH}`, 'a flatter pattern')
  const isNegated = parser.source[parser.at] === '^'
  if (isNegated) parser.at++
  const intersected: string[] = []
  let union = ''
  let isFirst = true
  for (;;) {
    const rest = parser.source.slice(parser.at, parser.at + 16)
    if (rest === '') throw fail(parser, 'the end', "']'")
    if (rest.startsWith(']') && !isFirst) break
    isFirst = false
    const posix = POSIX.exec(rest)
    if (posix !== null) {
      const operand = propertyOperand(posix[2] ?? '')
      if (operand === undefined) throw fail(parser, posix[0], 'a POSIX bracket')
      union += posix[1] === '^' ? `[^${operand}]` : operand
      parser.at += posix[0].length
    } else if (rest.startsWith('&&')) {
      parser.at += 2
      intersected.push(union)
      union = ''
    } else if (rest.startsWith('[')) {
      parser.at++
      union += parseClass(parser, options)
    } else union += parseClassItem(parser, options)
  }
  parser.at++
  parser.depth--
  const inner = intersected.length === 0 ? union : [...intersected, union].map((operand) => `[${operand}]`).join('&&')
  return isNegated ? `[^${inner}]` : `[${inner}]`
}

/** One character, one escape, or a range. */
function parseClassItem(parser: Parser, options: Options): string {
  const first = parseClassCharacter(parser, options)
  const { source, at } = parser
  const isRange = first.codePoint !== undefined && source[at] === '-' && source[at + 1] !== ']' && source[at + 1] !== undefined
  if (!isRange || first.codePoint === undefined) return first.operand
  if (source[at + 1] === '[' || source.startsWith('&&', at + 1)) return first.operand
  parser.at++
  const last = parseClassCharacter(parser, options)
  // A hyphen before a set, as in [a-\s], is a hyphen.
  if (last.codePoint === undefined) return `${first.operand}${escapeCharacter(45)}${last.operand}`
  if (last.codePoint < first.codePoint) throw fail(parser, 'a range that runs backwards', 'its smaller end first')
  return rangeOperand(first.codePoint, last.codePoint, options.ignoreCase)
}

function parseClassCharacter(parser: Parser, options: Options): { operand: string; codePoint?: number } {
  const character = takeCharacter(parser)
  if (character === '\\') return parseClassEscape(parser, options, true)
  const codePoint = character.codePointAt(0) ?? 0
  return { operand: rangeOperand(codePoint, codePoint, options.ignoreCase), codePoint }
}
