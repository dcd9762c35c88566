/**
 * What Jinja can write and the parser of `@huggingface/jinja` cannot read, rewritten into what it can: tuples of none or one
 * element, `with` blocks, and the `generation` tag of transformers. The names put in have a space, so no template can write them.
 */
import { ChatTemplateError } from './chat-template-error.ts'
import type { TemplateToken, TokenType } from './lexer.ts'

/** A block with a scope of its own. */
export const SCOPE_BLOCK = 'scope block'
/** A call that stands for a tuple. */
export const TUPLE_LITERAL = 'tuple literal'

const OPERATOR_WORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'is', 'if', 'elif', 'else'])

export function adaptTokens(tokens: readonly TemplateToken[]): TemplateToken[] {
  return renameBlocks(nameTuples(tokens))
}

function token(type: TokenType, value: string): TemplateToken {
  return { type, value }
}

/** Whether a value may end here, so that a parenthesis after it is a call. */
function endsValue(last: TemplateToken | undefined): boolean {
  switch (last?.type) {
    case 'Identifier':
      return !OPERATOR_WORDS.has(last.value)
    case 'NumericLiteral':
    case 'StringLiteral':
    case 'CloseParen':
    case 'CloseSquareBracket':
    case 'CloseCurlyBracket':
      return true
    default:
      return false
  }
}

function nameTuples(tokens: readonly TemplateToken[]): TemplateToken[] {
  const named: TemplateToken[] = []
  /** For each open parenthesis, where it stands in `named` if it groups. */
  const open: (number | undefined)[] = []
  for (const current of tokens) {
    if (current.type === 'OpenParen') open.push(endsValue(named.at(-1)) ? undefined : named.length)
    if (current.type === 'CloseParen') {
      const start = open.pop()
      const isTuple = named.at(-1)?.type === 'Comma' || named.length - 1 === start
      // The argument list of a call may end with a comma, and may be empty.
      if (start !== undefined && isTuple) named[start] = token('OpenParen', TUPLE_LITERAL)
    }
    named.push(current)
  }
  return named.flatMap((current) =>
    current.value === TUPLE_LITERAL ? [token('Identifier', TUPLE_LITERAL), token('OpenParen', '(')] : [current],
  )
}

function renameBlocks(tokens: readonly TemplateToken[]): TemplateToken[] {
  const renamed: TemplateToken[] = []
  let position = 0
  while (position < tokens.length) {
    const current = tokens[position]
    if (current === undefined) break
    const name = current.type === 'OpenStatement' ? tokens[position + 1]?.value : undefined
    if (name === 'generation' || name === 'with') {
      const end = endOfTag(tokens, position)
      renamed.push(current, token('Identifier', 'call'), token('Identifier', SCOPE_BLOCK), token('OpenParen', '('))
      renamed.push(token('CloseParen', ')'), token('CloseStatement', '%}'))
      if (name === 'with') renamed.push(...assignments(tokens.slice(position + 2, end)))
      position = end + 1
    } else if (name === 'endgeneration' || name === 'endwith') {
      renamed.push(current, token('Identifier', 'endcall'))
      position += 2
    } else {
      renamed.push(current)
      position += 1
    }
  }
  return renamed
}

function endOfTag(tokens: readonly TemplateToken[], start: number): number {
  let end = start
  while (end < tokens.length && tokens[end]?.type !== 'CloseStatement') end += 1
  return end
}

/** `a = 1, b = 2` as `set` statements. */
function assignments(tokens: readonly TemplateToken[]): TemplateToken[] {
  const statements: TemplateToken[] = []
  let depth = 0
  let start = 0
  for (let position = 0; position <= tokens.length; position++) {
    const type = tokens[position]?.type
    if (type?.startsWith('Open') === true) depth += 1
    else if (type?.startsWith('Close') === true) depth -= 1
    else if ((type === 'Comma' && depth === 0) || type === undefined) {
      if (position > start) {
        statements.push(
          token('OpenStatement', '{%'),
          token('Identifier', 'set'),
          ...tokens.slice(start, position),
          token('CloseStatement', '%}'),
        )
      }
      start = position + 1
    }
  }
  return statements
}

/**
 * The parser takes two values without anything between them for two elements of a list or two arguments.
 *
 * @throws {ChatTemplateError} reason `syntax`
 */
export function refuseMissingOperators(tokens: readonly TemplateToken[]): void {
  /** Words that open a statement, and the caller's parameters in `{% call(x) f() %}`, may stand before a value. */
  let isStatementHead = false
  let isCallBlock = false
  tokens.forEach((current, index) => {
    const last = tokens[index - 1]
    if (current.type === 'OpenStatement') isCallBlock = tokens[index + 1]?.value === 'call'
    else if (isStatementHead) isStatementHead = false
    else if (!isCallBlock && startsValue(current, last) && endsValue(last)) {
      throw new ChatTemplateError('syntax', `${current.value} behind ${last?.value}`, 'an operator or a comma between them')
    }
    if (last?.type === 'OpenStatement') isStatementHead = true
  })
}

function startsValue(current: TemplateToken, last: TemplateToken | undefined): boolean {
  if (current.type === 'StringLiteral') return last?.type !== 'StringLiteral'
  if (current.type === 'Identifier') return !OPERATOR_WORDS.has(current.value)
  return current.type === 'NumericLiteral' || current.type === 'OpenCurlyBracket'
}
