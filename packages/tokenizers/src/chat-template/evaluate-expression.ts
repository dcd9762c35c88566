/** Expressions of templates. Every node that is evaluated costs a step. */
import { applyBinary, applyUnary } from './arithmetic.ts'
import { getAttribute, getItem } from './attributes.ts'
import { applyFilter } from './filters.ts'
import { sliceText, TextBuilder } from './marked-text.ts'
import type { Scope } from './scope.ts'
import type { Argument, Expression, NamedCall } from './syntax-tree.ts'
import { findTest } from './tests.ts'
import { codePointOffsets } from './text-operations.ts'
import {
  type CallArguments,
  type CallableValue,
  dictValue,
  elementsOf,
  evaluationError,
  isDict,
  isSequence,
  isText,
  isTruthy,
  isUndefined,
  listValue,
  tupleValue,
  typeName,
  undefinedError,
  undefinedValue,
  type Value,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

export function evaluate(expression: Expression, scope: Scope, meter: WorkMeter): Value {
  meter.spend(1)
  switch (expression.kind) {
    case 'constant':
      return expression.value
    case 'name': {
      const value = scope.get(expression.name)
      return value === undefined ? undefinedValue(expression.name) : value
    }
    case 'sequence': {
      const items = expression.items.map((item) => evaluate(item, scope, meter))
      return expression.isTuple ? tupleValue(items) : listValue(items)
    }
    case 'dict':
      return dictValue(expression.entries.map(([key, value]) => [evaluate(key, scope, meter), evaluate(value, scope, meter)] as const))
    case 'attribute':
      return getAttribute(evaluate(expression.object, scope, meter), expression.name, meter)
    case 'item':
      return getItem(evaluate(expression.object, scope, meter), evaluate(expression.index, scope, meter), meter)
    case 'slice':
      return slice(expression, scope, meter)
    case 'call':
      return call(functionOf(evaluate(expression.callee, scope, meter)), evaluateArguments(expression.args, scope, meter), meter)
    case 'filter':
      return filtered(expression.filter, evaluate(expression.operand, scope, meter), scope, meter)
    case 'test': {
      const test = findTest(expression.test.name)
      const operand = evaluate(expression.operand, scope, meter)
      return test(operand, evaluateArguments(expression.test.args, scope, meter), meter) !== expression.isNegated
    }
    case 'unary': {
      const operand = evaluate(expression.operand, scope, meter)
      return expression.operator === 'not' ? !isTruthy(operand) : applyUnary(expression.operator, operand)
    }
    case 'binary': {
      const left = evaluate(expression.left, scope, meter)
      if (expression.operator === 'and') return isTruthy(left) ? evaluate(expression.right, scope, meter) : left
      if (expression.operator === 'or') return isTruthy(left) ? left : evaluate(expression.right, scope, meter)
      return applyBinary(expression.operator, left, evaluate(expression.right, scope, meter), meter)
    }
    case 'conditional':
      if (isTruthy(evaluate(expression.test, scope, meter))) return evaluate(expression.whenTrue, scope, meter)
      if (expression.whenFalse === undefined) return undefinedValue('an inline if without else')
      return evaluate(expression.whenFalse, scope, meter)
  }
}

export function filtered(filter: NamedCall, value: Value, scope: Scope, meter: WorkMeter): Value {
  return applyFilter(filter.name, value, evaluateArguments(filter.args, scope, meter), meter)
}

export function functionOf(value: Value): CallableValue {
  if (isUndefined(value)) throw undefinedError(value)
  if (typeof value === 'object' && value !== null && value.kind === 'callable') return value
  throw evaluationError(`a call of a ${typeName(value)}`, 'a function')
}

export function call(callee: CallableValue, args: CallArguments, meter: WorkMeter): Value {
  meter.enterCall()
  const result = callee.call(args)
  meter.leaveCall()
  return result
}

export function evaluateArguments(args: readonly Argument[], scope: Scope, meter: WorkMeter): CallArguments {
  const positional: Value[] = []
  const keyword = new Map<string, Value>()
  const addKeyword = (name: string, value: Value): void => {
    if (keyword.has(name)) throw evaluationError(`two values for the argument ${name}`, 'one')
    keyword.set(name, value)
  }
  for (const argument of args) {
    const value = evaluate(argument.value, scope, meter)
    switch (argument.kind) {
      case 'positional':
        positional.push(value)
        break
      case 'keyword':
        addKeyword(argument.name, value)
        break
      case 'spread':
        for (const item of elementsOf(value, meter)) {
          meter.spend(1)
          positional.push(item)
        }
        break
      case 'keywordSpread': {
        if (!isDict(value)) throw evaluationError(`** in front of a ${typeName(value)}`, 'a dict')
        for (const { key, value: item } of value.entries.values()) {
          meter.spend(1)
          if (!isText(key)) throw evaluationError('an argument name that is not text', 'names')
          addKeyword(key.text, item)
        }
      }
    }
  }
  return { positional, keyword }
}

function slice(expression: Expression & { kind: 'slice' }, scope: Scope, meter: WorkMeter): Value {
  const object = evaluate(expression.object, scope, meter)
  const bounds = [expression.start, expression.stop, expression.step].map((part) => {
    const bound = part === undefined ? null : evaluate(part, scope, meter)
    if (bound === null || typeof bound === 'number') return bound
    if (isUndefined(bound)) throw undefinedError(bound)
    throw evaluationError(`a slice with a ${typeName(bound)}`, 'whole numbers')
  })
  if (isUndefined(object)) throw undefinedError(object)
  if (isSequence(object)) {
    const { start, step, count } = sliceRange(bounds, object.items.length)
    meter.spend(count)
    const items = Array.from({ length: count }, (_, index) => object.items[start + index * step] ?? null)
    return object.kind === 'list' ? listValue(items) : tupleValue(items)
  }
  if (!isText(object)) throw evaluationError(`a slice of a ${typeName(object)}`, 'text or a list')
  const offsets = codePointOffsets(object.text, meter)
  const { start, step, count } = sliceRange(bounds, offsets === undefined ? object.text.length : offsets.length - 1)
  const offset = (position: number): number => offsets?.[position] ?? position
  if (step === 1) return sliceText(object, offset(start), offset(start + count))
  meter.spend(count)
  const builder = new TextBuilder()
  for (let index = 0; index < count; index++) {
    const position = start + index * step
    builder.add(sliceText(object, offset(position), offset(position + 1)))
  }
  return builder.finish()
}

/** Python's slice over `length` elements: the first position, the step, and how many there are. */
function sliceRange(bounds: readonly (number | null)[], length: number): { start: number; step: number; count: number } {
  const step = bounds[2] ?? 1
  if (step === 0) throw evaluationError('a slice with step 0', 'another step')
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1]
  const clamp = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + length : bound, low), high)
  const start = bounds[0] === null || bounds[0] === undefined ? (step > 0 ? low : high) : clamp(bounds[0])
  const stop = bounds[1] === null || bounds[1] === undefined ? (step > 0 ? high : low) : clamp(bounds[1])
  return { start, step, count: Math.max(0, Math.ceil((stop - start) / step)) }
}
