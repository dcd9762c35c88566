/**
 * Statements of templates: they write into a text. `break` and `continue` are results rather than exceptions, so what an
 * iteration has written before them stays.
 */
import { ChatTemplateError } from './chat-template-error.ts'
import { call, evaluate, evaluateArguments, filtered, functionOf } from './evaluate-expression.ts'
import { type MarkedText, plainText, TextBuilder } from './marked-text.ts'
import { printed } from './python-text.ts'
import { Scope } from './scope.ts'
import type { MacroDefinition, Statement, Target } from './syntax-tree.ts'
import {
  type CallArguments,
  type CallableValue,
  callable,
  dictValue,
  elementsOf,
  evaluationError,
  isTruthy,
  type LoopValue,
  tupleValue,
  undefinedValue,
  type Value,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

type Flow = 'on' | 'break' | 'continue'

export function runTemplate(program: readonly Statement[], scope: Scope, meter: WorkMeter): MarkedText {
  return capture(program, scope, meter)
}

function capture(statements: readonly Statement[], scope: Scope, meter: WorkMeter): MarkedText {
  const output = new TextBuilder()
  const flow = runBlock(statements, scope, output, meter)
  if (flow !== 'on') throw new ChatTemplateError('syntax', `${flow} outside of a loop`, 'a loop around it')
  return output.finish()
}

function runBlock(statements: readonly Statement[], scope: Scope, output: TextBuilder, meter: WorkMeter): Flow {
  for (const statement of statements) {
    const flow = run(statement, scope, output, meter)
    if (flow !== 'on') return flow
  }
  return 'on'
}

function write(text: MarkedText, output: TextBuilder, meter: WorkMeter): void {
  meter.makeText(output.length + text.text.length)
  output.add(text)
}

function run(statement: Statement, scope: Scope, output: TextBuilder, meter: WorkMeter): Flow {
  meter.spend(1)
  switch (statement.kind) {
    case 'text':
      meter.makeText(output.length + statement.text.length)
      output.addString(statement.text, false)
      return 'on'
    case 'output':
      write(printed(evaluate(statement.expression, scope, meter), meter), output, meter)
      return 'on'
    case 'if':
      return runBlock(isTruthy(evaluate(statement.test, scope, meter)) ? statement.body : statement.otherwise, scope, output, meter)
    case 'for':
      return runLoop(statement, scope, output, meter)
    case 'set':
      assign(statement.target, evaluate(statement.value, scope, meter), scope, meter)
      return 'on'
    case 'setBlock': {
      let value: Value = capture(statement.body, new Scope(scope), meter)
      for (const filter of statement.filters) value = filtered(filter, value, scope, meter)
      assign(statement.target, value, scope, meter)
      return 'on'
    }
    case 'macro':
      scope.set(statement.macro.name, macroValue(statement.macro, scope, meter))
      return 'on'
    case 'callBlock': {
      const callee = functionOf(evaluate(statement.call.callee, scope, meter))
      const args = evaluateArguments(statement.call.args, scope, meter)
      const caller = macroValue(statement.caller, scope, meter)
      write(printed(call(callee, { ...args, keyword: new Map([...args.keyword, ['caller', caller]]) }, meter), meter), output, meter)
      return 'on'
    }
    case 'filterBlock':
      write(printed(filtered(statement.filter, capture(statement.body, new Scope(scope), meter), scope, meter), meter), output, meter)
      return 'on'
    case 'scope':
      write(capture(statement.body, new Scope(scope), meter), output, meter)
      return 'on'
    case 'break':
    case 'continue':
      return statement.kind
  }
}

function assign(target: Target, value: Value, scope: Scope, meter: WorkMeter): void {
  switch (target.kind) {
    case 'name':
      scope.set(target.name, value)
      return
    case 'names': {
      const items = elementsOf(value, meter)
      if (items.length !== target.names.length) throw evaluationError(`${items.length} values`, `${target.names.length} to unpack`)
      target.names.forEach((name, index) => {
        scope.set(name, items[index] ?? null)
      })
      return
    }
    case 'member': {
      const object = evaluate(target.object, scope, meter)
      if (typeof object !== 'object' || object === null || object.kind !== 'namespace') {
        throw evaluationError(`an assignment to ${target.name} of something else than a namespace`, 'a namespace')
      }
      if (target.name.startsWith('_'))
        throw evaluationError(`the attribute ${target.name} of a namespace`, 'a name without underscore in front')
      object.attributes.set(target.name, value)
    }
  }
}

function runLoop(statement: Statement & { kind: 'for' }, scope: Scope, output: TextBuilder, meter: WorkMeter): Flow {
  const { condition, target } = statement
  let items = elementsOf(evaluate(statement.iterable, scope, meter), meter)
  meter.spend(items.length)
  if (condition !== undefined) {
    items = items.filter((item) => {
      const inner = new Scope(scope)
      assign(target, item, inner, meter)
      return isTruthy(evaluate(condition, inner, meter))
    })
  }
  const loop: LoopValue = { kind: 'loop', items, index: 0, depth: scope.loopDepth + 1, lastChanged: undefined }
  // The else block runs unless an iteration has reached its end, so also when all were continued.
  let isElse = true
  for (; loop.index < items.length; loop.index++) {
    const inner = new Scope(scope, loop.depth)
    inner.set('loop', loop)
    assign(target, items[loop.index] ?? null, inner, meter)
    const flow = runBlock(statement.body, inner, output, meter)
    if (flow === 'break') break
    if (flow === 'on') isElse = false
  }
  return isElse ? runBlock(statement.otherwise, new Scope(scope), output, meter) : 'on'
}

/** A macro sees the variables around its definition, not those around its call. */
function macroValue(macro: MacroDefinition, defined: Scope, meter: WorkMeter): CallableValue {
  return callable(macro.name, (args) => {
    // Loops around the definition end at the macro.
    const scope = new Scope(defined, 0)
    bindArguments(macro, args, scope, meter)
    return capture(macro.body, scope, meter)
  })
}

function bindArguments(macro: MacroDefinition, { positional, keyword }: CallArguments, scope: Scope, meter: WorkMeter): void {
  const rest = new Map(keyword)
  const caller = rest.get('caller')
  if (caller !== undefined) rest.delete('caller')
  scope.set('caller', caller ?? undefinedValue('caller'))
  macro.parameters.forEach(({ name, initial }, index) => {
    const given = index < positional.length ? positional[index] : rest.get(name)
    rest.delete(name)
    if (given !== undefined) scope.set(name, given)
    else scope.set(name, initial === undefined ? undefinedValue(`the parameter ${name}`) : evaluate(initial, scope, meter))
  })
  const surplus = positional.slice(macro.parameters.length)
  if (surplus.length > 0 && !macro.takesVarargs) {
    throw evaluationError(`${positional.length} arguments for the macro ${macro.name}`, `at most ${macro.parameters.length}`)
  }
  const [unknown] = rest.keys()
  if (unknown !== undefined && !macro.takesKwargs)
    throw evaluationError(`an argument ${unknown} for the macro ${macro.name}`, 'one of its parameters')
  if (macro.takesVarargs) scope.set('varargs', tupleValue(surplus))
  if (macro.takesKwargs) scope.set('kwargs', dictValue(Array.from(rest, ([name, value]) => [plainText(name), value] as const)))
}
