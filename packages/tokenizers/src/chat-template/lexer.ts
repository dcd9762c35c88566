/**
 * From the source of a template to the tokens that the parser of `@huggingface/jinja` reads.
 *
 * The library's own lexer strips whitespace around tags by regular expressions over the whole source (strings included, and in
 * quadratic time on long runs of spaces) and knows neither `raw` blocks nor exponents nor tests with arguments. This one follows
 * the rules of Jinja 3.1 with `trim_blocks` and `lstrip_blocks`, in one pass whose cost grows with the length of the source.
 */
import { ChatTemplateError } from './chat-template-error.ts'
import { endBeforeSpaces, skipSpaces } from './python-whitespace.ts'
import { readString } from './string-literal.ts'
import type { ChatTemplateLimits } from './work-meter.ts'

/** The names are those of the library's parser. */
export interface TemplateToken {
  value: string
  type: TokenType
}

export type TokenType =
  | 'Text'
  | 'NumericLiteral'
  | 'StringLiteral'
  | 'Identifier'
  | 'Equals'
  | 'OpenParen'
  | 'CloseParen'
  | 'OpenStatement'
  | 'CloseStatement'
  | 'OpenExpression'
  | 'CloseExpression'
  | 'OpenSquareBracket'
  | 'CloseSquareBracket'
  | 'OpenCurlyBracket'
  | 'CloseCurlyBracket'
  | 'Comma'
  | 'Dot'
  | 'Colon'
  | 'Pipe'
  | 'AdditiveBinaryOperator'
  | 'MultiplicativeBinaryOperator'
  | 'ExponentiationBinaryOperator'
  | 'ComparisonBinaryOperator'

const OPERATORS: ReadonlyMap<string, TokenType> = new Map<string, TokenType>([
  ['**', 'ExponentiationBinaryOperator'],
  ['//', 'MultiplicativeBinaryOperator'],
  ['==', 'ComparisonBinaryOperator'],
  ['!=', 'ComparisonBinaryOperator'],
  ['<=', 'ComparisonBinaryOperator'],
  ['>=', 'ComparisonBinaryOperator'],
  ['<', 'ComparisonBinaryOperator'],
  ['>', 'ComparisonBinaryOperator'],
  ['+', 'AdditiveBinaryOperator'],
  ['-', 'AdditiveBinaryOperator'],
  ['~', 'AdditiveBinaryOperator'],
  ['*', 'MultiplicativeBinaryOperator'],
  ['/', 'MultiplicativeBinaryOperator'],
  ['%', 'MultiplicativeBinaryOperator'],
  ['(', 'OpenParen'],
  [')', 'CloseParen'],
  ['[', 'OpenSquareBracket'],
  [']', 'CloseSquareBracket'],
  ['{', 'OpenCurlyBracket'],
  ['}', 'CloseCurlyBracket'],
  [',', 'Comma'],
  ['.', 'Dot'],
  [':', 'Colon'],
  ['|', 'Pipe'],
  ['=', 'Equals'],
])

const CLOSING: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
])

/** Statements with a body; their names with `end` in front close it. `set` has one only without `=` and nests no deeper than its text. */
const BLOCKS: ReadonlySet<string> = new Set(['if', 'for', 'macro', 'call', 'filter', 'generation', 'with'])

const NAME = /[\p{ID_Start}_]\p{ID_Continue}*/uy
const NUMBER = /(?:\d(?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?/y
const PREFIXED_INTEGER = /0(?:[xX](?:_?[\da-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)/y

/** @throws {ChatTemplateError} reason `syntax` or `limit` */
export function readTokens(source: string, limits: ChatTemplateLimits): TemplateToken[] {
  if (source.length > limits.sourceCharacters) {
    throw new ChatTemplateError('limit', `${source.length} characters`, `at most ${limits.sourceCharacters}`)
  }
  return new Lexer(source.replace(/\r\n?/g, '\n').replace(/\n$/, ''), limits).read()
}

class Lexer {
  readonly source: string
  readonly limits: ChatTemplateLimits
  readonly #tokens: TemplateToken[] = []
  #position = 0
  /** Whether the last tag ended with a line break, so that the next one stands at the start of a line. */
  #isAtLineStart = true
  #blockDepth = 0

  constructor(source: string, limits: ChatTemplateLimits) {
    this.source = source
    this.limits = limits
  }

  read(): TemplateToken[] {
    while (this.#position < this.source.length) {
      const tag = this.#nextTag(this.#position)
      if (tag === this.source.length) {
        this.#text(this.#position, tag)
        break
      }
      const opener = this.source[tag + 1]
      const sign = this.#signAt(tag + 2)
      this.#text(this.#position, this.#textEnd(this.#position, tag, sign, opener === '{'))
      this.#position = tag + 2 + sign.length
      if (opener === '#') this.#comment()
      else if (opener === '{') this.#expression()
      else if (!this.#raw()) this.#statement()
      this.#isAtLineStart = this.source[this.#position - 1] === '\n'
    }
    return this.#tokens
  }

  #nextTag(from: number): number {
    for (let at = this.source.indexOf('{', from); at >= 0; at = this.source.indexOf('{', at + 1)) {
      const next = this.source[at + 1]
      if (next === '%' || next === '{' || next === '#') return at
    }
    return this.source.length
  }

  #signAt(position: number): '-' | '+' | '' {
    const character = this.source[position]
    return character === '-' || character === '+' ? character : ''
  }

  /** Where the text before a tag ends, after the whitespace rules of that tag. */
  #textEnd(start: number, tag: number, sign: '-' | '+' | '', isExpression: boolean): number {
    if (sign === '-') return endBeforeSpaces(this.source, start, tag)
    if (sign === '+' || isExpression) return tag
    let lineStart = tag
    while (lineStart > start && this.source[lineStart - 1] !== '\n') lineStart -= 1
    const startsLine = lineStart > start || this.#isAtLineStart
    return startsLine && skipSpaces(this.source, lineStart, tag) === tag ? lineStart : tag
  }

  #text(start: number, end: number): void {
    if (end > start) this.#push('Text', this.source.slice(start, end))
  }

  #push(type: TokenType, value: string): void {
    this.#tokens.push({ type, value })
  }

  #fail(found: string, expected: string): never {
    const line = this.source.slice(0, this.#position).split('\n').length
    throw new ChatTemplateError('syntax', `${found} in line ${line}`, expected)
  }

  #comment(): void {
    const end = this.source.indexOf('#}', this.#position)
    if (end < 0) this.#fail('a comment without end', '#}')
    const sign = end > this.#position ? this.#signAt(end - 1) : ''
    this.#position = end + 2
    this.#afterTag(sign)
  }

  /** What a closing tag takes from the text behind it. */
  #afterTag(sign: '-' | '+' | ''): void {
    if (sign === '-') this.#position = skipSpaces(this.source, this.#position)
    else if (sign === '' && this.source[this.#position] === '\n') this.#position += 1
  }

  /** `{% raw %}…{% endraw %}`; false when the statement is another one. */
  #raw(): boolean {
    const name = skipSpaces(this.source, this.#position)
    if (!this.source.startsWith('raw', name)) return false
    const close = skipSpaces(this.source, name + 3)
    const isTrimming = this.source.startsWith('-%}', close)
    if (!isTrimming && !this.source.startsWith('%}', close)) return false
    const start = isTrimming ? skipSpaces(this.source, close + 3) : close + 2
    for (let tag = this.source.indexOf('{%', start); tag >= 0; tag = this.source.indexOf('{%', tag + 2)) {
      const sign = this.#signAt(tag + 2)
      const end = skipSpaces(this.source, tag + 2 + sign.length)
      if (!this.source.startsWith('endraw', end)) continue
      const closing = skipSpaces(this.source, end + 6)
      const closingSign = this.#signAt(closing)
      if (!this.source.startsWith('%}', closing + closingSign.length)) continue
      this.#isAtLineStart = this.source[start - 1] === '\n'
      this.#text(start, this.#textEnd(start, tag, sign, false))
      this.#position = closing + closingSign.length + 2
      this.#afterTag(closingSign)
      return true
    }
    return this.#fail('a raw block without end', '{% endraw %}')
  }

  #expression(): void {
    this.#push('OpenExpression', '{{')
    const sign = this.#inside('}}')
    this.#push('CloseExpression', '}}')
    // Only a minus strips after an expression: trim_blocks is about blocks.
    if (sign === '-') this.#position = skipSpaces(this.source, this.#position)
  }

  #statement(): void {
    this.#push('OpenStatement', '{%')
    const first = this.#tokens.length
    const sign = this.#inside('%}')
    this.#push('CloseStatement', '%}')
    this.#afterTag(sign)
    const name = this.#tokens[first]?.value ?? ''
    if (BLOCKS.has(name)) this.#enter(++this.#blockDepth)
    else if (name.startsWith('end') && BLOCKS.has(name.slice(3))) this.#blockDepth -= 1
  }

  #enter(depth: number): void {
    if (depth > this.limits.nesting) {
      throw new ChatTemplateError('limit', `a nesting of ${depth}`, `at most ${this.limits.nesting}`)
    }
  }

  /** The tokens up to the end of a tag; returns the sign in front of that end. */
  #inside(end: '}}' | '%}'): '-' | '+' | '' {
    const open: string[] = []
    for (;;) {
      this.#position = skipSpaces(this.source, this.#position)
      if (this.#position >= this.source.length) this.#fail('a tag without end', end)
      if (open.length === 0) {
        const sign = this.#signAt(this.#position)
        const isAllowed = sign !== '+' || end === '%}'
        if (isAllowed && this.source.startsWith(end, this.#position + sign.length)) {
          this.#position += sign.length + 2
          return sign
        }
      }
      this.#token(open)
    }
  }

  #token(open: string[]): void {
    const character = this.source[this.#position] ?? ''
    if (character === '"' || character === "'") {
      const literal = readString(this.source, this.#position)
      if (literal === undefined) this.#fail('a string without end or with a wrong escape', 'a string literal')
      this.#push('StringLiteral', literal.value)
      this.#position = literal.end
      return
    }
    if (character >= '0' && character <= '9') {
      this.#push('NumericLiteral', this.#number())
      return
    }
    const name = this.#match(NAME)
    if (name === undefined) this.#operator(open)
    else this.#push('Identifier', name)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position
    const found = pattern.exec(this.source)?.[0]
    if (found !== undefined) this.#position += found.length
    return found
  }

  /** A number as the parser wants it: it takes those with a point for floats. */
  #number(): string {
    // `items.0.1` is two subscripts, not a fraction.
    if (this.#tokens.at(-1)?.type === 'Dot') {
      return this.#match(/\d+/y) ?? ''
    }
    const prefixed = this.#match(PREFIXED_INTEGER)
    if (prefixed !== undefined) return String(Number(prefixed.replaceAll('_', '')))
    const digits = (this.#match(NUMBER) ?? '').replaceAll('_', '')
    const value = Number(digits)
    if (/^\d+$/.test(digits)) {
      if (!Number.isSafeInteger(value)) this.#fail(`the integer ${digits}`, 'an integer below 2^53')
      return digits
    }
    if (!Number.isFinite(value)) this.#fail(`the number ${digits}`, 'a finite number')
    return digits.includes('.') ? digits : digits.replace(/[eE]/, '.0e')
  }

  #operator(open: string[]): void {
    const two = this.source.slice(this.#position, this.#position + 2)
    const value = OPERATORS.has(two) ? two : two.slice(0, 1)
    const type = OPERATORS.get(value)
    if (type === undefined) this.#fail(`the character ${JSON.stringify(value)}`, 'an expression')
    const closing = CLOSING.get(value)
    if (closing !== undefined) {
      open.push(closing)
      this.#enter(this.#blockDepth + open.length)
    } else if (value === ')' || value === ']' || value === '}') {
      const expected = open.pop()
      if (expected !== value) this.#fail(value, expected ?? 'no closing bracket')
    }
    this.#position += value.length
    this.#push(type, value)
  }
}
