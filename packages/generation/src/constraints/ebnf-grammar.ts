/**
 * Grammars as text, in the notation of llama.cpp's GBNF: `root ::= "a" [0-9]+ (item | item ", " item)*`, `#` begins a comment, a definition lasts until
 * the next one. Repetitions are `* + ? {2} {2,} {2,5}`; texts and classes know \n \r \t \\ \" \[ \] \- \^ \xHH \uHHHH \UHHHHHHHH; `.` is any character.
 */
import { ConstraintError } from '../errors.ts'
import type { Constraint } from './constraint.ts'
import {
  type CodePointRange,
  character,
  choice,
  complementOf,
  type Expression,
  type Grammar,
  MAX_CODE_POINT,
  repeat,
  rule,
  sequence,
  text,
} from './expression.ts'
import { constraintOfGrammar } from './grammar-constraint.ts'

const NAME = /[A-Za-z_][A-Za-z0-9_-]*/y
const DEFINITION = /[A-Za-z_][A-Za-z0-9_-]*\s*::=/y
const COUNTS = /\{\s*(\d{1,9})\s*(,\s*(\d{0,9})\s*)?\}/y
const BLANK = /(?:\s|#[^\n]*)*/y
const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
const MOST_REPEATS = 10_000
const DEEPEST = 200

/**
 * An output that a grammar matches, from its rule `root`.
 *
 * @throws {ConstraintError} for a mistake in the grammar, naming line and column
 */
export function grammarConstraint(grammar: string): Constraint {
  return constraintOfGrammar('grammar', parseGrammar(grammar))
}

/** @throws {ConstraintError} for a mistake */
function parseGrammar(source: string): Grammar {
  let at = 0
  let depth = 0
  const refuse = (expected: string): never => {
    const before = source.slice(0, at).split('\n')
    const found = at >= source.length ? 'the end' : JSON.stringify(source.slice(at, at + 12))
    throw new ConstraintError({ field: `grammar, line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`, found, expected })
  }
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(source)
    if (found !== null) at += found[0].length
    return found
  }
  const take = (sign: string): boolean => {
    if (!source.startsWith(sign, at)) return false
    at += sign.length
    return true
  }
  const beginsDefinition = (): boolean => {
    DEFINITION.lastIndex = at
    return DEFINITION.test(source)
  }

  const alternatives = (): Expression => {
    if (++depth > DEEPEST) refuse(`at most ${DEEPEST} levels of parentheses`)
    const parts = [terms()]
    while (take('|')) parts.push(terms())
    depth--
    return choice(...parts)
  }
  const terms = (): Expression => {
    const parts: Expression[] = []
    for (match(BLANK); at < source.length && !'|)'.includes(source[at] ?? '') && !beginsDefinition(); match(BLANK)) {
      parts.push(repeated(atom()))
    }
    return sequence(...parts)
  }
  const repeated = (part: Expression): Expression => {
    let result = part
    for (;;) {
      match(BLANK)
      if (take('*')) result = repeat(result, 0)
      else if (take('+')) result = repeat(result, 1)
      else if (take('?')) result = repeat(result, 0, 1)
      else {
        const counts = match(COUNTS)
        if (counts === null) return result
        const least = Number(counts[1])
        const most = counts[2] === undefined ? least : counts[3] === '' ? Number.POSITIVE_INFINITY : Number(counts[3])
        if (least > most || least > MOST_REPEATS || (most !== Number.POSITIVE_INFINITY && most > MOST_REPEATS)) {
          refuse(`numbers before this of at most ${MOST_REPEATS}, the smaller first`)
        }
        result = repeat(result, least, most)
      }
    }
  }
  const atom = (): Expression => {
    if (take('"')) {
      let value = ''
      while (!take('"')) value += String.fromCodePoint(letter('a closing "'))
      return text(value)
    }
    if (take('[')) return characterClass()
    if (take('(')) {
      const inner = alternatives()
      if (!take(')')) refuse('")"')
      return inner
    }
    if (take('.')) return character([0, MAX_CODE_POINT])
    const name = match(NAME)
    return name === null ? refuse('a text in quotes, a class, a group or the name of a rule') : rule(name[0])
  }
  const letter = (expectedEnd: string): number => {
    if (at >= source.length || source[at] === '\n') refuse(expectedEnd)
    if (!take('\\')) {
      const code = source.codePointAt(at) ?? 0
      at += code > 0xffff ? 2 : 1
      return code
    }
    const sign = source[at] ?? ''
    const hexLength = HEX_LENGTH[sign]
    if (hexLength !== undefined) {
      const digits = source.slice(at + 1, at + 1 + hexLength)
      const code = Number.parseInt(digits, 16)
      if (digits.length !== hexLength || !/^[0-9a-fA-F]+$/.test(digits) || code > MAX_CODE_POINT)
        refuse(`${hexLength} hexadecimal digits of a character`)
      at += 1 + hexLength
      return code
    }
    if (CONTROLS[sign] === undefined && !'\\"[]-^'.includes(sign)) refuse('one of the escapes n r t x u U \\ " [ ] - ^')
    if (sign === '') refuse('a sign after the backslash')
    at++
    return (CONTROLS[sign] ?? sign).codePointAt(0) ?? 0
  }
  const characterClass = (): Expression => {
    const isNegated = take('^')
    const ranges: CodePointRange[] = []
    while (!take(']')) {
      const low = letter('a closing "]"')
      const isRange = source[at] === '-' && source[at + 1] !== ']'
      if (isRange) at++
      const high = isRange ? letter('a closing "]"') : low
      if (high < low) refuse('a range before this with the smaller character first')
      ranges.push([low, high])
    }
    return character(...(isNegated ? complementOf(ranges) : ranges))
  }

  const rules = new Map<string, Expression>()
  for (match(BLANK); at < source.length; match(BLANK)) {
    const begin = at
    const name = match(NAME)?.[0] ?? refuse('the name of a rule')
    match(BLANK)
    if (!take('::=')) refuse('"::="')
    if (rules.has(name)) {
      at = begin
      refuse('one definition of each rule')
    }
    rules.set(name, alternatives())
    if (source[at] === ')') refuse('a definition of a rule, or the end')
  }
  if (!rules.has('root'))
    throw new ConstraintError({ field: 'grammar', found: 'no rule "root"', expected: 'one, from which outputs begin' })
  return { root: 'root', rules }
}
