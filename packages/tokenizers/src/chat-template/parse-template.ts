/**
 * From source to tree: the own lexer, the parser of `@huggingface/jinja`, and a reading of its nodes into `syntax-tree.ts`.
 *
 * Limits of that parser: `include`, `import`, `extends`, `block` and recursive loops are refused as syntax errors; `~` and `+`
 * have the same precedence (in Jinja `~` binds tighter); a chain of comparisons (`1 < x < 3`) is read from left to right.
 */
import { parse } from '@huggingface/jinja'
import { adaptTokens, refuseMissingOperators, SCOPE_BLOCK, TUPLE_LITERAL } from './adapt-tokens.ts'
import { ChatTemplateError, isStackOverflow } from './chat-template-error.ts'
import { readTokens, type TemplateToken } from './lexer.ts'
import { plainText } from './marked-text.ts'
import type { Argument, Expression, MacroDefinition, NamedCall, Parameter, Statement, Target } from './syntax-tree.ts'
import { readTestName, splitTestArguments } from './test-arguments.ts'
import { floatValue } from './value.ts'
import type { ChatTemplateLimits } from './work-meter.ts'

/** @throws {ChatTemplateError} reason `syntax` or `limit` */
export function parseTemplate(source: string, limits: ChatTemplateLimits): readonly Statement[] {
  try {
    return new TreeReader().program(adaptTokens(readTokens(source, limits)))
  } catch (error) {
    if (error instanceof ChatTemplateError) throw error
    if (isStackOverflow(error))
      throw new ChatTemplateError('limit', 'expressions nested too deep', 'a template that fits on the stack', { cause: error })
    const found = error instanceof Error ? error.message : String(error)
    throw new ChatTemplateError('syntax', found, 'a Jinja template', { cause: error })
  }
}

/** A node of the library: an object with a type and fields that depend on it. */
type Node = Readonly<Record<string, unknown>> & { readonly type: string }

function nodeOf(value: unknown): Node {
  if (!isNode(value)) throw new Error('a part of an expression is missing')
  return value
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function nodesOf(value: unknown): Node[] {
  return Array.isArray(value) ? value.map(nodeOf) : []
}

function stringOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error('a name is missing')
  return value
}

/** The value of an identifier. */
function nameOf(value: unknown): string {
  const node = nodeOf(value)
  if (node.type !== 'Identifier') throw new Error(`expected a name, found ${node.type}`)
  return stringOf(node.value)
}

function isTupleLiteral({ callee }: Node): boolean {
  return isNode(callee) && callee.type === 'Identifier' && callee.value === TUPLE_LITERAL
}

class TreeReader {
  /** Names that have been read so far, per macro that is being read. */
  readonly #namesRead: Set<string>[] = []

  program(allTokens: readonly TemplateToken[]): Statement[] {
    const { tokens, testArguments } = splitTestArguments(allTokens)
    this.#testArguments = testArguments
    refuseMissingOperators(tokens)
    return this.#statements(parse(tokens).body)
  }

  #testArguments: TemplateToken[][] = []

  #statements(value: unknown): Statement[] {
    return nodesOf(value).map((node) => this.#statement(node))
  }

  #statement(node: Node): Statement {
    switch (node.type) {
      case 'If':
        return {
          kind: 'if',
          test: this.#expression(node.test),
          body: this.#statements(node.body),
          otherwise: this.#statements(node.alternate),
        }
      case 'For':
        return this.#for(node)
      case 'Set':
        return this.#set(node)
      case 'Macro':
        return { kind: 'macro', macro: this.#macro(nameOf(node.name), node.args, node.body) }
      case 'CallStatement':
        return this.#callBlock(node)
      case 'FilterStatement':
        return { kind: 'filterBlock', filter: this.#namedCall(node.filter), body: this.#statements(node.body) }
      case 'Break':
        return { kind: 'break' }
      case 'Continue':
        return { kind: 'continue' }
      case 'StringLiteral':
        return { kind: 'text', text: stringOf(node.value) }
      default:
        return { kind: 'output', expression: this.#expression(node) }
    }
  }

  #for(node: Node): Statement {
    const iterable = nodeOf(node.iterable)
    const isFiltered = iterable.type === 'SelectExpression'
    return {
      kind: 'for',
      target: this.#target(nodeOf(node.loopvar)),
      iterable: this.#expression(isFiltered ? iterable.lhs : iterable),
      condition: isFiltered ? this.#expression(iterable.test) : undefined,
      body: this.#statements(node.body),
      otherwise: this.#statements(node.defaultBlock),
    }
  }

  #set(node: Node): Statement {
    let assignee = nodeOf(node.assignee)
    if (node.value !== null) return { kind: 'set', target: this.#target(assignee), value: this.#expression(node.value) }
    const filters: NamedCall[] = []
    for (; assignee.type === 'FilterExpression'; assignee = nodeOf(assignee.operand)) filters.unshift(this.#namedCall(assignee.filter))
    return { kind: 'setBlock', target: this.#target(assignee), filters, body: this.#statements(node.body) }
  }

  #target(node: Node): Target {
    if (node.type === 'TupleLiteral') return { kind: 'names', names: nodesOf(node.value).map(nameOf) }
    if (node.type === 'MemberExpression' && node.computed === false) {
      return { kind: 'member', object: this.#expression(node.object), name: nameOf(node.property) }
    }
    return { kind: 'name', name: nameOf(node) }
  }

  #callBlock(node: Node): Statement {
    const call = this.#expression(node.call)
    if (call.kind !== 'call') throw new Error('a call block needs a call')
    if (call.callee.kind === 'name' && call.callee.name === SCOPE_BLOCK) return { kind: 'scope', body: this.#statements(node.body) }
    return { kind: 'callBlock', call, caller: this.#macro('caller', node.callerArgs, node.body) }
  }

  #macro(name: string, parameterNodes: unknown, bodyNodes: unknown): MacroDefinition {
    this.#namesRead.push(new Set())
    const parameters = nodesOf(parameterNodes).map((node): Parameter => {
      if (node.type === 'KeywordArgumentExpression') return { name: nameOf(node.key), initial: this.#expression(node.value) }
      return { name: nameOf(node), initial: undefined }
    })
    const body = this.#statements(bodyNodes)
    const names = this.#namesRead.pop() ?? new Set<string>()
    // What an inner macro reads may be what the outer one was given.
    const outer = this.#namesRead.at(-1)
    if (outer !== undefined) for (const read of names) outer.add(read)
    return { name, parameters, body, takesVarargs: names.has('varargs'), takesKwargs: names.has('kwargs') }
  }

  #expression(value: unknown): Expression {
    const node = nodeOf(value)
    switch (node.type) {
      case 'IntegerLiteral':
        return { kind: 'constant', value: Number(node.value) }
      case 'FloatLiteral':
        return { kind: 'constant', value: floatValue(Number(node.value)) }
      case 'StringLiteral':
        return { kind: 'constant', value: plainText(stringOf(node.value)) }
      case 'Identifier':
        return this.#name(stringOf(node.value))
      case 'ArrayLiteral':
      case 'TupleLiteral':
        return { kind: 'sequence', isTuple: node.type === 'TupleLiteral', items: nodesOf(node.value).map((item) => this.#expression(item)) }
      case 'ObjectLiteral':
        return this.#dict(node.value)
      case 'MemberExpression':
        return this.#member(node)
      case 'CallExpression':
        if (isTupleLiteral(node))
          return { kind: 'sequence', isTuple: true, items: nodesOf(node.args).map((item) => this.#expression(item)) }
        return { kind: 'call', callee: this.#expression(node.callee), args: this.#arguments(node.args) }
      case 'FilterExpression':
        return { kind: 'filter', operand: this.#expression(node.operand), filter: this.#namedCall(node.filter) }
      case 'TestExpression':
        return {
          kind: 'test',
          operand: this.#expression(node.operand),
          test: this.#test(nameOf(node.test)),
          isNegated: node.negate === true,
        }
      case 'UnaryExpression':
        return { kind: 'unary', operator: stringOf(nodeOf(node.operator).value), operand: this.#expression(node.argument) }
      case 'BinaryExpression':
        return {
          kind: 'binary',
          operator: stringOf(nodeOf(node.operator).value),
          left: this.#expression(node.left),
          right: this.#expression(node.right),
        }
      case 'Ternary':
        return {
          kind: 'conditional',
          test: this.#expression(node.condition),
          whenTrue: this.#expression(node.trueExpr),
          whenFalse: this.#expression(node.falseExpr),
        }
      case 'SelectExpression':
        return { kind: 'conditional', test: this.#expression(node.test), whenTrue: this.#expression(node.lhs), whenFalse: undefined }
      default:
        throw new Error(`unexpected ${node.type}`)
    }
  }

  #name(name: string): Expression {
    switch (name) {
      case 'true':
      case 'True':
        return { kind: 'constant', value: true }
      case 'false':
      case 'False':
        return { kind: 'constant', value: false }
      case 'none':
      case 'None':
        return { kind: 'constant', value: null }
      default:
        this.#namesRead.at(-1)?.add(name)
        return { kind: 'name', name }
    }
  }

  #dict(value: unknown): Expression {
    if (!(value instanceof Map)) throw new Error('a dict without entries')
    const entries: (readonly [Expression, Expression])[] = []
    for (const [key, item] of value) entries.push([this.#expression(key), this.#expression(item)])
    return { kind: 'dict', entries }
  }

  #member(node: Node): Expression {
    const object = this.#expression(node.object)
    const property = nodeOf(node.property)
    if (node.computed !== true) {
      if (property.type === 'IntegerLiteral') return { kind: 'item', object, index: { kind: 'constant', value: Number(property.value) } }
      return { kind: 'attribute', object, name: nameOf(property) }
    }
    if (property.type !== 'SliceExpression') return { kind: 'item', object, index: this.#expression(property) }
    const bound = (part: unknown): Expression | undefined => (part === undefined ? undefined : this.#expression(part))
    return { kind: 'slice', object, start: bound(property.start), stop: bound(property.stop), step: bound(property.step) }
  }

  #arguments(value: unknown): Argument[] {
    return nodesOf(value).map((node): Argument => {
      if (node.type === 'KeywordArgumentExpression') return { kind: 'keyword', name: nameOf(node.key), value: this.#expression(node.value) }
      if (node.type === 'SpreadExpression') return { kind: 'spread', value: this.#expression(node.argument) }
      if (node.type === 'KeywordSpreadExpression') return { kind: 'keywordSpread', value: this.#expression(node.argument) }
      return { kind: 'positional', value: this.#expression(node) }
    })
  }

  #namedCall(value: unknown): NamedCall {
    const node = nodeOf(value)
    if (node.type === 'CallExpression') return { name: nameOf(node.callee), args: this.#arguments(node.args) }
    return { name: nameOf(node), args: [] }
  }

  #test(written: string): NamedCall {
    const { name, index } = readTestName(written)
    if (index === undefined) return { name, args: [] }
    const call = new TreeReader().#argumentCall(this.#testArguments[index] ?? [], this.#namesRead.at(-1))
    return { name, args: call }
  }

  #argumentCall(tokens: readonly TemplateToken[], namesRead: Set<string> | undefined): readonly Argument[] {
    if (namesRead !== undefined) this.#namesRead.push(namesRead)
    const [statement] = this.program(tokens)
    if (statement?.kind !== 'output' || statement.expression.kind !== 'call') throw new Error('the arguments of a test cannot be read')
    return statement.expression.args
  }
}
