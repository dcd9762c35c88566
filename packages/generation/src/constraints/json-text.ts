/** The parts of JSON texts, as expressions. Spellings that no reader needs (escaped surrogates, numbers beyond doubles) are left out. */
import {
  type CodePointRange,
  character,
  choice,
  commonRanges,
  complementOf,
  type Expression,
  NOTHING,
  optional,
  repeat,
  rule,
  sequence,
  text,
} from './expression.ts'

/**
 * Where JSON allows space: none at all; or, `flexible`, nothing or one space after a colon, and after brackets and commas nothing, a space, or a
 * line end and up to 32 spaces. Never more, or a model may go on with space for ever.
 */
export type JsonWhitespace = 'flexible' | 'none'

/** Names of the rules that `jsonRules` makes. */
export const SPACE = rule('space')
const SPACE_AFTER_COLON = rule('space after a colon')
export const CHARACTER = rule('character of a string')
export const ANY = rule('any value')
export const ANY_OBJECT = rule('any object')
export const ANY_ARRAY = rule('any array')
const ANY_STRING = rule('any string')

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Characters that a string cannot hold as they are. */
const ESCAPED: CodePointRange[] = [
  [0, 0x1f],
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
]
const UNESCAPED = complementOf(ESCAPED)
const SHORT_ESCAPES = new Map([
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [12, '\\f'],
  [13, '\\r'],
  [QUOTE, '\\"'],
  [BACKSLASH, '\\\\'],
])

/** A character that is spelled as itself. */
export const PLAIN_CHARACTER = character(...UNESCAPED)
const HEX: CodePointRange[] = [
  [0x30, 0x39],
  [0x41, 0x46],
  [0x61, 0x66],
]
const DIGIT = character([0x30, 0x39])
const INTEGER = sequence(optional(text('-')), choice(text('0'), sequence(character([0x31, 0x39]), repeat(DIGIT, 0, 14))))

export const ANY_INTEGER = INTEGER
export const ANY_NUMBER = sequence(
  INTEGER,
  optional(sequence(text('.'), repeat(DIGIT, 1, 15))),
  optional(sequence(character([0x45, 0x45], [0x65, 0x65]), optional(character([0x2b, 0x2b], [0x2d, 0x2d])), repeat(DIGIT, 1, 2))),
)

/** Rules that all JSON grammars share. */
export function jsonRules(whitespace: JsonWhitespace): Map<string, Expression> {
  const isFlexible = whitespace === 'flexible'
  return new Map([
    ['space', isFlexible ? choice(NOTHING, text(' '), sequence(text('\n'), repeat(text(' '), 0, 32))) : NOTHING],
    ['space after a colon', isFlexible ? optional(text(' ')) : NOTHING],
    [
      'character of a string',
      choice(
        PLAIN_CHARACTER,
        sequence(
          text('\\'),
          choice(
            character(...Array.from('"\\/bfnrt', (sign): CodePointRange => [sign.charCodeAt(0), sign.charCodeAt(0)])),
            sequence(
              text('u'),
              character([0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66]),
              repeat(character(...HEX), 3, 3),
            ),
            sequence(text('u'), character([0x44, 0x44], [0x64, 0x64]), character([0x30, 0x37]), repeat(character(...HEX), 2, 2)),
          ),
        ),
      ),
    ],
    ['any string', quoted(repeat(CHARACTER, 0))],
    ['any value', choice(ANY_STRING, ANY_NUMBER, text('true'), text('false'), text('null'), ANY_OBJECT, ANY_ARRAY)],
    ['any object', objectOf(choice(NOTHING, sequence(SPACE, commaSeparated(member(ANY_STRING, ANY)))))],
    ['any array', arrayOf(choice(NOTHING, sequence(SPACE, commaSeparated(ANY))))],
  ])
}

/** A string of these characters. */
export const quoted = (content: Expression): Expression => sequence(text('"'), content, text('"'))

/** @param content  with the space before it */
export const objectOf = (content: Expression): Expression => sequence(text('{'), content, SPACE, text('}'))
export const arrayOf = (content: Expression): Expression => sequence(text('['), content, SPACE, text(']'))
export const member = (key: Expression, value: Expression): Expression => sequence(key, text(':'), SPACE_AFTER_COLON, value)
export const COMMA: Expression = sequence(text(','), SPACE)
const commaSeparated = (part: Expression): Expression => sequence(part, repeat(sequence(COMMA, part), 0))

/** One text as a JSON string. */
export const stringLiteral = (value: string): Expression => text(JSON.stringify(value))

/** The same texts inside of a JSON string, each spelled in one way. */
export function escapedForJson(expression: Expression): Expression {
  switch (expression.kind) {
    case 'character':
      return escapedCharacter(expression.ranges)
    case 'text':
      return text(JSON.stringify(expression.text).slice(1, -1))
    case 'sequence':
    case 'choice':
      return { kind: expression.kind, parts: expression.parts.map(escapedForJson) }
    case 'repeat':
      return { ...expression, part: escapedForJson(expression.part) }
    case 'byte':
    case 'rule':
      return expression
  }
}

function escapedCharacter(ranges: readonly CodePointRange[]): Expression {
  const escapes = commonRanges(ranges, ESCAPED).flatMap(([low, high]) =>
    Array.from({ length: high - low + 1 }, (_, i) => {
      const code = low + i
      return text(SHORT_ESCAPES.get(code) ?? `\\u${code.toString(16).padStart(4, '0')}`)
    }),
  )
  return choice(character(...commonRanges(ranges, UNESCAPED)), ...escapes)
}
