/**
 * Tests with arguments (`x is divisibleby 3`, `x is in ['a']`), which the parser of `@huggingface/jinja` does not read.
 *
 * Their tokens are cut out, and the name of the test becomes `name #index`; no template can write such a name. The cut-out
 * tokens are parsed as the arguments of a call.
 */
import type { TemplateToken } from './lexer.ts'

export interface SplitTokens {
  readonly tokens: TemplateToken[]
  /** For each index, the arguments as tokens of `name(…)`. */
  readonly testArguments: TemplateToken[][]
}

/** Words that may follow a test without being its argument. */
const NOT_AN_ARGUMENT: ReadonlySet<string> = new Set(['and', 'or', 'else', 'is', 'if', 'in', 'not', 'recursive'])

const CLOSING: ReadonlyMap<string, string> = new Map([
  ['OpenParen', 'CloseParen'],
  ['OpenSquareBracket', 'CloseSquareBracket'],
  ['OpenCurlyBracket', 'CloseCurlyBracket'],
])

export function splitTestArguments(tokens: readonly TemplateToken[]): SplitTokens {
  const kept: TemplateToken[] = []
  const testArguments: TemplateToken[][] = []
  let position = 0
  while (position < tokens.length) {
    const token = tokens[position]
    if (token === undefined) break
    kept.push(token)
    position += 1
    if (!isWord(token, 'is') || isProperty(tokens, position - 1)) continue
    const negation = tokens[position]
    if (negation !== undefined && isWord(negation, 'not')) {
      kept.push(negation)
      position += 1
    }
    const name = tokens[position]
    // `in` is the name of a test, and a word of the language everywhere else.
    if (name?.type !== 'Identifier') continue
    position += 1
    const end = endOfArgument(tokens, position)
    if (end === position) {
      kept.push(name)
      continue
    }
    kept.push({ type: 'Identifier', value: `${name.value} #${testArguments.length}` })
    testArguments.push(asCall(tokens.slice(position, end)))
    position = end
  }
  return { tokens: kept, testArguments }
}

/** The name and the index of the arguments of a test as it stands in the tree. */
export function readTestName(name: string): { name: string; index?: number } {
  const cut = name.indexOf(' #')
  return cut < 0 ? { name } : { name: name.slice(0, cut), index: Number(name.slice(cut + 2)) }
}

function isWord(token: TemplateToken, word: string): boolean {
  return token.type === 'Identifier' && token.value === word
}

/** Whether the word stands behind a point: `loop.is` is no test. */
function isProperty(tokens: readonly TemplateToken[], position: number): boolean {
  return tokens[position - 1]?.type === 'Dot'
}

function endOfArgument(tokens: readonly TemplateToken[], start: number): number {
  const first = tokens[start]
  if (first === undefined) return start
  if (first.type === 'Identifier') {
    if (NOT_AN_ARGUMENT.has(first.value)) return start
  } else if (first.type !== 'StringLiteral' && first.type !== 'NumericLiteral' && !CLOSING.has(first.type)) return start
  let position = endOfGroup(tokens, start)
  // With parentheses the arguments are complete; otherwise members, subscripts and calls belong to the one argument.
  if (first.type === 'OpenParen') return position
  for (;;) {
    const next = tokens[position]?.type
    if (next === 'Dot') position += 2
    else if (next === 'OpenSquareBracket' || next === 'OpenParen') position = endOfGroup(tokens, position)
    else return Math.min(position, tokens.length)
  }
}

/** The lexer has made sure that brackets are balanced within a tag. */
function endOfGroup(tokens: readonly TemplateToken[], start: number): number {
  const closing = CLOSING.get(tokens[start]?.type ?? '')
  if (closing === undefined) return start + 1
  const opening = tokens[start]?.type
  let depth = 0
  for (let position = start; position < tokens.length; position++) {
    const type = tokens[position]?.type
    if (type === opening) depth += 1
    else if (type === closing) {
      depth -= 1
      if (depth === 0) return position + 1
    }
  }
  return tokens.length
}

function asCall(tokens: readonly TemplateToken[]): TemplateToken[] {
  const inner =
    tokens[0]?.type === 'OpenParen'
      ? tokens
      : [{ type: 'OpenParen' as const, value: '(' }, ...tokens, { type: 'CloseParen' as const, value: ')' }]
  return [
    { type: 'OpenExpression', value: '{{' },
    { type: 'Identifier', value: 'test' },
    ...inner,
    { type: 'CloseExpression', value: '}}' },
  ]
}
