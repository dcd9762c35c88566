/**
 * The library's interpreter, with bounds and with Python's meaning. The library asks `evaluate` for every node, so here each node
 * is paid for, and the few kinds of nodes are evaluated that the library takes as JavaScript would, or as no Jinja does:
 *
 * - values are printed, joined and compared as Python does (`True`, `{'a': 1}`; `'' == 0` is false and `'a' + 1` an error);
 * - variables set in a loop end with the iteration, macros see the place where they are defined, and what was printed before
 *   `break` or `continue` stays;
 * - an attribute of an undefined value is an error, and `x.items()` is the method even where `x` has a key of that name.
 *
 * What the library does not know is an error, and 1,712 renderings of 132 published templates, all equal to those of Jinja2 3.1.6,
 * need none of it: filters such as `round`, `sum`, `max`, `groupby`, `batch`, `escape`, `count`, and `map` with a filter; `reverse` of
 * a text; methods such as `find`, `format`, `splitlines`, `partition`, `isdigit`; `cycler`, `joiner`, `loop.cycle`, `loop.changed`,
 * recursive loops; chained comparisons; `%` with widths; tuples that end with a comma; keys that are no texts; `{% with %}`.
 * Known to print something else than Jinja without an error: integers beyond 2^53; unprintable characters within a printed list;
 * `varargs`, which is printed as a list; lists without commas, which are read as if they had them; `%}` and a line end within a
 * string of the template; variables set inside of `{% generation %}`, which outlive it; names that the sandbox of Jinja2 withholds.
 */
import { Environment, Interpreter } from '@huggingface/jinja'
import { contains, isEqual } from './comparison.ts'
import { type Arguments, type CallContext, dictItems, elements, FILTERS, sizeOf, TEXT_METHODS } from './filters.ts'
import { percentFormat, pythonText } from './python-text.ts'
import type { PreparedTemplate } from './read-template.ts'
import { is, type Node } from './syntax-tree.ts'
import {
  functionOf,
  isDict,
  isFunction,
  isList,
  isNamespace,
  isNumber,
  isText,
  isUndefined,
  listOf,
  namedArguments,
  plainValue,
  type TemplateFunction,
  type TextValue,
  type Value,
} from './values.ts'

/** A jump on its way to its loop, with what was printed in the iteration. */
class LoopJump extends Error {
  readonly node: Node
  text = ''

  constructor(node: Node) {
    super(`${node.type.toLowerCase()} outside of a loop`)
    this.node = node
  }
}

/** Steps of what the library does around each iteration and each jump. */
const ITERATION_STEPS = 8

const SILENT: ReadonlySet<string> = new Set(['Set', 'Macro', 'Comment'])
/** Filters that return in no time, whatever the size of the operand. */
const INSTANT: ReadonlySet<string> = new Set(['length', 'default', 'safe', 'first', 'last'])

interface HeldNode extends Node {
  readonly held: Value
}

/** A value in the place of the node that gave it. */
function hold(held: Value): HeldNode {
  return { type: 'Held', held }
}

function isHeld(node: Node): node is HeldNode {
  return node.type === 'Held'
}

export class BoundedInterpreter extends Interpreter {
  readonly #template: PreparedTemplate
  readonly #context: CallContext
  /** Bodies of loops that have ended by a jump with text before it. */
  readonly #ended = new Set<Node>()

  constructor(template: PreparedTemplate, scope: Environment, context: CallContext) {
    super(scope)
    this.#template = template
    this.#context = context
  }

  override evaluate(node: Node | undefined, scope: Environment): Value {
    if (node === undefined) return plainValue(undefined)
    this.#context.budget.spend(1)
    const value = this.#evaluate(node, scope)
    if (isText(value)) this.#context.budget.joinText(value.value.length)
    if (!this.#template.iterables.has(node)) return value
    if (isText(value)) this.#context.budget.spend(value.value.length)
    // The library's loops unpack no tuples, and walk through nothing but lists and dictionaries.
    const items = elements(value).map((item) => (item.type === 'TupleValue' && isList(item) ? listOf(item.value) : item))
    this.#context.budget.spend(items.length)
    return listOf(items)
  }

  #evaluate(node: Node, scope: Environment): Value {
    if (isHeld(node)) return node.held
    if (is(node, 'Program')) return this.#block(node, scope)
    if (is(node, 'Identifier')) return this.#lookup(node.value, scope)
    if (is(node, 'MemberExpression')) return this.#member(node, scope)
    if (is(node, 'BinaryExpression')) return this.#binary(node, scope)
    if (is(node, 'FilterExpression')) return this.#filter(this.evaluate(node.operand, scope), node.filter, scope)
    if (is(node, 'FilterStatement')) return this.#filter(this.evaluate(node.body[0], scope), node.filter, scope)
    if (is(node, 'Macro')) return this.#macro(node, scope)
    if (is(node, 'For')) return this.#loop(node, scope)
    if (node.type === 'Break' || node.type === 'Continue') throw new LoopJump(node)
    if (is(node, 'TestExpression') && node.test.value === 'iterable') {
      const operand = this.evaluate(node.operand, scope)
      return plainValue((isText(operand) || isList(operand) || operand.type === 'ObjectValue' || isUndefined(operand)) !== node.negate)
    }
    const value = super.evaluate(node, scope)
    if (is(node, 'CallExpression')) this.#context.budget.spend(sizeOf(value))
    return value
  }

  #block(node: Node & { body: Node[] }, outer: Environment): Value {
    const { budget } = this.#context
    const isLoopBody = this.#template.loopBodies.has(node)
    if (isLoopBody) {
      budget.spend(ITERATION_STEPS)
      if (this.#ended.has(node)) return super.evaluate({ type: 'Break' }, outer)
    }
    const scope = isLoopBody ? new Environment(outer) : outer
    let text = ''
    try {
      for (const statement of node.body) {
        const value = this.evaluate(statement, scope)
        if (!SILENT.has(statement.type)) text += pythonText(value, budget)
      }
    } catch (error) {
      if (!(error instanceof LoopJump)) throw error
      error.text = text + error.text
      if (!isLoopBody) throw error
      budget.spend(ITERATION_STEPS)
      // The library drops the text of an iteration that it leaves, so with text the iteration goes on to its end and the next one leaves.
      if (error.text === '') return super.evaluate(error.node, scope)
      if (error.node.type === 'Break') this.#ended.add(node)
      text = error.text
    }
    return plainValue(text)
  }

  #loop(node: Node & { body: Node[] }, scope: Environment): Value {
    try {
      return super.evaluate(node, scope)
    } finally {
      for (const body of node.body) this.#ended.delete(body)
    }
  }

  /** The library's own look-up throws and catches an error for every undefined variable, which takes long. */
  #lookup(name: string, scope: Environment): Value {
    let depth = 0
    for (let place: Environment | undefined = scope; place !== undefined; place = place.parent) {
      const value = place.variables.get(name)
      if (value !== undefined) {
        this.#context.budget.spend(depth >>> 3)
        return value
      }
      depth += 1
    }
    this.#context.budget.spend(depth >>> 3)
    return plainValue(undefined)
  }

  #member(node: Node & { object: Node; property: Node; computed: boolean }, scope: Environment): Value {
    const { budget } = this.#context
    const object = this.evaluate(node.object, scope)
    if (isUndefined(object))
      throw new Error(`an attribute of ${is(node.object, 'Identifier') ? node.object.value : 'a value'}, which is undefined`)
    if (isText(object) && node.computed) return this.#character(object, node, scope)
    if (node.property.type === 'SliceExpression') budget.spend(sizeOf(object))
    const method = !node.computed && is(node.property, 'Identifier') ? this.#method(object, node.property.value) : undefined
    return method ?? super.evaluate(Object.assign({}, node, { object: hold(object) }), scope)
  }

  /** Positions in texts count code points. */
  #character(object: TextValue, node: Node & { property: Node }, scope: Environment): Value {
    this.#context.budget.spend(object.value.length >>> 3)
    if (node.property.type === 'SliceExpression') return super.evaluate(Object.assign({}, node, { object: hold(object) }), scope)
    const position = this.evaluate(node.property, scope)
    return isNumber(position) ? plainValue(Array.from(object.value).at(position.value)) : plainValue(undefined)
  }

  #method(object: Value, name: string): Value | undefined {
    const { budget } = this.#context
    if (object.type === 'ObjectValue' && name === 'items') return functionOf(() => listOf(dictItems(object, budget)))
    const library = isNamespace(object) ? undefined : object.builtins.get(name)
    if (isDict(object)) return library
    if (!isText(object)) return undefined
    const run = this.#ownMethod(object.value, name) ?? (isFunction(library) ? library.value : undefined)
    if (run === undefined) return undefined
    return functionOf((args, scope) => {
      for (const text of [object, ...args]) budget.spend(sizeOf(text))
      if (name === 'split' && isText(args[0])) budget.search(object.value.length, args[0].value.length)
      if (name.endsWith('with') && args.length > 1) throw new Error(`${name} with a position`)
      const value = run(args, scope)
      budget.spend(isList(value) ? value.value.length : 0)
      return value
    })
  }

  #ownMethod(text: string, name: string): TemplateFunction | undefined {
    const method = TEXT_METHODS.get(name)
    if (method === undefined) return undefined
    return (args) => {
      const named = namedArguments(args)
      return method(text, { all: named.size === 0 ? args : args.slice(0, -1), named }, this.#context)
    }
  }

  #binary(node: Node & { operator: { readonly value: string }; left: Node; right: Node }, scope: Environment): Value {
    const { budget } = this.#context
    const operator = node.operator.value
    if (operator === 'and' || operator === 'or') return super.evaluate(node, scope)
    const left = this.evaluate(node.left, scope)
    const right = this.evaluate(node.right, scope)
    switch (operator) {
      case '==':
        return plainValue(isEqual(left, right, budget))
      case '!=':
        return plainValue(!isEqual(left, right, budget))
      case 'in':
        return plainValue(contains(right, left, budget))
      case 'not in':
        return plainValue(!contains(right, left, budget))
      case '~':
        return plainValue(pythonText(left, budget) + pythonText(right, budget))
      case '+':
        if (isText(left) !== isText(right)) throw new Error(`cannot add ${left.type} and ${right.type}`)
        break
      case '*':
        if (isText(left) && isNumber(right)) return this.#repeat(left.value, right.value)
        break
      case '%':
        if (isText(left)) return plainValue(percentFormat(left.value, isList(right) ? right.value : [right], budget))
    }
    if ((operator === '/' || operator === '//' || operator === '%') && isNumber(right)) {
      if (right.value === 0) throw new Error('division by zero')
      // Python's remainder has the sign of the divisor.
      if (operator === '%' && isNumber(left) && left.type === 'IntegerValue' && right.type === 'IntegerValue') {
        return plainValue(left.value - right.value * Math.floor(left.value / right.value))
      }
    }
    const value = super.evaluate(Object.assign({}, node, { left: hold(left), right: hold(right) }), scope)
    budget.spend(isText(value) ? 0 : sizeOf(value))
    return value
  }

  #repeat(text: string, times: number): Value {
    const count = Math.max(0, Math.trunc(times))
    this.#context.budget.makeText(text.length * count)
    return plainValue(text.repeat(count))
  }

  #filter(operand: Value, filter: Node, scope: Environment): Value {
    const { budget } = this.#context
    const callee = is(filter, 'CallExpression') ? filter.callee : filter
    const name = is(callee, 'Identifier') ? callee.value : ''
    if (!INSTANT.has(name)) budget.spend(sizeOf(operand))
    const own = FILTERS.get(name)
    if (own !== undefined) return own(operand, this.#arguments(is(filter, 'CallExpression') ? filter.args : [], scope), this.#context)
    const filterNode = { type: 'FilterExpression', operand: hold(operand), filter }
    return super.evaluate(filterNode, scope)
  }

  #arguments(nodes: readonly Node[], scope: Environment): Arguments {
    const all: Value[] = []
    const named = new Map<string, Value>()
    for (const node of nodes) {
      if (is(node, 'KeywordArgumentExpression')) named.set(node.key.value, this.evaluate(node.value, scope))
      else if (node.type.endsWith('SpreadExpression')) throw new Error('a filter called with * or **')
      else all.push(this.evaluate(node, scope))
    }
    return { all, named }
  }

  #macro(node: Node & { name: { readonly value: string } }, scope: Environment): Value {
    const result = super.evaluate(node, scope)
    const macro = scope.variables.get(node.name.value)
    if (!isFunction(macro)) return result
    const run = macro.value
    macro.value = (args: Value[], callScope: Environment) => {
      const inner = new Environment(scope)
      const caller = callScope.variables.get('caller')
      if (caller !== undefined) inner.variables.set('caller', caller)
      return this.#context.budget.call(() => run(args, inner))
    }
    return result
  }
}
