/**
 * Reading a template: the source is checked against the limits, mended where the library's reader knows less than Jinja, parsed
 * by the library, and prepared for the interpreter. What is mended, on the source or on its tokens:
 *
 * - line ends are made one kind;
 * - `{% raw %}` blocks become text in quotes;
 * - numbers such as `1e3` are put together;
 * - tests with an argument (`x is divisibleby 3`) become filters named `is …`, which the interpreter knows.
 *
 * `{%+`, `{% include %}`, `{% import %}`, `{% block %}`, `{% with %}` and `{% trans %}` are refused: models do not use them.
 */
import { parse, tokenize } from '@huggingface/jinja'
import { asChatTemplateError, ChatTemplateError } from './chat-template-error.ts'
import { ARGUMENT_TESTS } from './filters.ts'
import type { ChatTemplateLimits } from './step-budget.ts'
import { is, isNode, type Node, type Program } from './syntax-tree.ts'

type Token = ReturnType<typeof tokenize>[number]

export interface PreparedTemplate {
  readonly source: string
  readonly program: Program
  readonly loopBodies: WeakSet<Node>
  /** Expressions that are walked through, by loops and by `*` in calls. */
  readonly iterables: WeakSet<Node>
  /** Texts that the template compares with, or hands to filters, methods and brackets; as many as are worth looking for. */
  readonly literals: readonly string[]
}

/** The library reads a run of white space in quadratic time. */
const MAX_SPACES = 1000

/** @throws {ChatTemplateError} reason `syntax` or `limit` */
export function readTemplate(source: string, limits: ChatTemplateLimits): PreparedTemplate {
  if (source.length > limits.sourceCharacters) throw tooMuch(`a template of ${source.length} characters`, limits.sourceCharacters)
  try {
    const mended = withoutRawBlocks(source.replace(/\r\n?/g, '\n'))
    const spaces = longestRunOfSpaces(mended)
    if (spaces > MAX_SPACES) throw tooMuch(`${spaces} white-space characters in a row`, MAX_SPACES)
    const tokens = tokenize(mended, { trim_blocks: true, lstrip_blocks: true })
    checkNesting(tokens, limits.nesting)
    return prepare(source, parse(mendTokens(tokens)))
  } catch (error) {
    throw asChatTemplateError(error, 'syntax')
  }
}

function tooMuch(found: string, limit: number): ChatTemplateError {
  return new ChatTemplateError('limit', found, `at most ${limit}`)
}

function longestRunOfSpaces(text: string): number {
  let longest = 0
  for (const [run] of text.matchAll(/\s{100,}/g)) longest = Math.max(longest, run.length)
  return longest
}

function withoutRawBlocks(source: string): string {
  const opener = /\{%(-?)\s{0,100}raw\s{0,100}(-?)%\}/g
  const closer = /\{%(-?)\s{0,100}endraw\s{0,100}(-?)%\}\n?/g
  let result = ''
  let from = 0
  for (let open = opener.exec(source); open !== null; open = opener.exec(source)) {
    closer.lastIndex = opener.lastIndex
    const close = closer.exec(source)
    if (close === null) throw new ChatTemplateError('syntax', 'a raw block without end', '{% endraw %}')
    let before = source.slice(from, open.index)
    if (open[1] === '') before = withoutIndentation(before)
    let raw = source.slice(opener.lastIndex, close.index)
    if (open[2] !== '') raw = raw.trimStart()
    raw = close[1] === '' ? withoutIndentation(raw) : raw.trimEnd()
    result += `${before}{{${open[1]} "${escapeAll(raw)}" ${close[2]}}}`
    from = closer.lastIndex
    opener.lastIndex = from
  }
  return result + source.slice(from)
}

/** Blanks between the start of a line and a block tag do not count. */
function withoutIndentation(text: string): string {
  let end = text.length
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return end === 0 || text[end - 1] === '\n' ? text.slice(0, end) : text
}

function escapeAll(text: string): string {
  return text.replace(/[^a-zA-Z0-9 ]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function mendTokens(tokens: readonly Token[]): Token[] {
  const mended: Token[] = []
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]
    if (token === undefined) continue
    const exponent = token.type === 'NumericLiteral' ? numberWithExponent(token.value, tokens[index + 1]) : undefined
    if (exponent !== undefined) {
      mended.push({ type: 'NumericLiteral', value: exponent })
      index += 1
      continue
    }
    const isNegated = tokens[index + 1]?.value === 'not'
    const at = index + (isNegated ? 2 : 1)
    const name = tokens[at]
    const isTest = isWord(token, 'is') && name !== undefined && name.type !== 'StringLiteral' && ARGUMENT_TESTS.has(name.value)
    if (!isTest) {
      mended.push(token)
      continue
    }
    mended.push({ type: 'Pipe', value: '|' }, { type: 'Identifier', value: `is ${isNegated ? 'not ' : ''}${name.value}` })
    index = at
    if (tokens[at + 1]?.type === 'OpenParen') continue
    const end = endOfArgument(tokens, at + 1)
    mended.push({ type: 'OpenParen', value: '(' }, ...mendTokens(tokens.slice(at + 1, end)), { type: 'CloseParen', value: ')' })
    index = end - 1
  }
  return mended
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.type === 'Identifier' && token.value === word
}

function numberWithExponent(digits: string, next: Token | undefined): string | undefined {
  if (next?.type !== 'Identifier' || !/^[eE]\d{1,3}$/.test(next.value)) return undefined
  const number = Number(digits + next.value)
  if (!Number.isFinite(number)) throw new ChatTemplateError('syntax', `the number ${digits}${next.value}`, 'a finite number')
  // The point makes it a float, as Jinja has it.
  return Number.isInteger(number) ? `${BigInt(number)}.0` : String(number)
}

/** One literal, name or bracket, and what is attached to it by points and brackets. */
function endOfArgument(tokens: readonly Token[], start: number): number {
  let depth = 0
  for (let at = start; at < tokens.length; at++) {
    depth += nesting(tokens[at])
    const next = tokens[at + 1]?.type
    if (depth > 0 || next === 'OpenSquareBracket') continue
    if (next !== 'Dot') return at + 1
    at += 1
  }
  return tokens.length
}

/** 1 for an opening bracket, -1 for a closing one. */
function nesting(token: Token | undefined): number {
  if (token === undefined || /Statement|Expression/.test(token.type)) return 0
  return token.type.startsWith('Open') ? 1 : token.type.startsWith('Close') ? -1 : 0
}

const BLOCKS = ['if', 'for', 'macro', 'call', 'filter']

function checkNesting(tokens: readonly Token[], limit: number): void {
  let depth = 0
  tokens.forEach((token, index) => {
    depth += nesting(token)
    const tag = tokens[index - 1]?.type === 'OpenStatement' ? token.value : ''
    if (BLOCKS.includes(tag)) depth += 1
    else if (tag.startsWith('end') && BLOCKS.includes(tag.slice(3))) depth -= 1
    if (depth > limit) throw tooMuch(`a template nested ${depth} deep`, limit)
  })
}

/** Lists of statements become single programs, which the interpreter runs itself; see there. */
function prepare(source: string, program: Program): PreparedTemplate {
  const prepared = { source, program, loopBodies: new WeakSet<Node>(), iterables: new WeakSet<Node>() }
  const literals = new Set<string>()
  const visit = (node: unknown): void => {
    if (node instanceof Map || Array.isArray(node)) for (const child of node) visit(child)
    if (!isNode(node)) return
    for (const child of Object.values(node)) visit(child)
    prepareNode(node, prepared)
    for (const operand of operandsOf(node)) {
      if (is(operand, 'StringLiteral') && operand.value.length <= MAX_LITERAL && literals.size < MAX_LITERALS) literals.add(operand.value)
    }
  }
  visit(program)
  return { ...prepared, literals: [...literals] }
}

const MAX_LITERAL = 100
const MAX_LITERALS = 200

function operandsOf(node: Node): readonly Node[] {
  if (is(node, 'BinaryExpression')) return [node.left, node.right]
  if (is(node, 'MemberExpression')) return [node.property]
  return is(node, 'CallExpression') ? node.args : []
}

function prepareNode(node: Node, { loopBodies, iterables }: Pick<PreparedTemplate, 'loopBodies' | 'iterables'>): void {
  if (is(node, 'If')) {
    node.body = asBlock(node.body)
    node.alternate = asBlock(node.alternate)
  } else if (is(node, 'For')) {
    node.body = asBlock(node.body)
    node.defaultBlock = asBlock(node.defaultBlock)
    for (const body of node.body) loopBodies.add(body)
    iterables.add(is(node.iterable, 'SelectExpression') ? node.iterable.lhs : node.iterable)
  } else if (is(node, 'Macro') || is(node, 'Set') || is(node, 'CallStatement') || is(node, 'FilterStatement')) {
    node.body = asBlock(node.body)
  } else if (is(node, 'SpreadExpression')) {
    iterables.add(node.argument)
  }
}

function asBlock(statements: Node[]): Node[] {
  if (statements.length === 0) return statements
  const block = parse([])
  block.body = statements
  return [block]
}
