/** Operators of templates. */
import { areEqual, compareValues, contains } from './comparison.ts'
import { type MarkedText, plainText, TextBuilder } from './marked-text.ts'
import { formatPercent } from './percent-format.ts'
import { printed } from './python-text.ts'
import {
  evaluationError,
  floatValue,
  integerValue,
  isFloat,
  isSequence,
  isText,
  isUndefined,
  listValue,
  numberOf,
  tupleValue,
  typeName,
  undefinedError,
  type Value,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

/** Any binary operator but `and` and `or`, which do not always evaluate both sides. */
export function applyBinary(operator: string, left: Value, right: Value, meter: WorkMeter): Value {
  switch (operator) {
    case '==':
      return areEqual(left, right, meter)
    case '!=':
      return !areEqual(left, right, meter)
    case 'in':
      return contains(right, left, meter)
    case 'not in':
      return !contains(right, left, meter)
    case '~':
      return concatenate(printed(left, meter), printed(right, meter), meter)
    case '<':
      return compareValues(left, right, meter) < 0
    case '<=':
      return compareValues(left, right, meter) <= 0
    case '>':
      return compareValues(left, right, meter) > 0
    case '>=':
      return compareValues(left, right, meter) >= 0
    default:
      return calculate(operator, left, right, meter)
  }
}

export function applyUnary(operator: string, operand: Value): Value {
  const number = numberOf(operand)
  if (number === undefined) {
    if (isUndefined(operand)) throw undefinedError(operand)
    throw evaluationError(`${operator} in front of ${typeName(operand)}`, 'a number')
  }
  const value = operator === '-' ? -number : number
  return isFloat(operand) ? floatValue(value) : integerValue(value === 0 ? 0 : value)
}

export function concatenate(left: MarkedText, right: MarkedText, meter: WorkMeter): MarkedText {
  meter.makeText(left.text.length + right.text.length)
  meter.spend((left.marks.length + right.marks.length) >> 3)
  const builder = new TextBuilder()
  builder.add(left)
  builder.add(right)
  return builder.finish()
}

function calculate(operator: string, left: Value, right: Value, meter: WorkMeter): Value {
  for (const value of [left, right]) if (isUndefined(value)) throw undefinedError(value)
  if (isText(left)) {
    if (operator === '+' && isText(right)) return concatenate(left, right, meter)
    if (operator === '%') return formatPercent(left, isSequence(right) && right.kind === 'tuple' ? right.items : [right], right, meter)
  }
  if (operator === '+' && isSequence(left) && isSequence(right) && left.kind === right.kind) {
    meter.spend(left.items.length + right.items.length)
    const items = [...left.items, ...right.items]
    return left.kind === 'list' ? listValue(items) : tupleValue(items)
  }
  if (operator === '*') {
    const repeated = repeat(left, right, meter) ?? repeat(right, left, meter)
    if (repeated !== undefined) return repeated
  }
  const a = numberOf(left)
  const b = numberOf(right)
  if (a === undefined || b === undefined)
    throw evaluationError(`${typeName(left)} ${operator} ${typeName(right)}`, 'values that the operator takes')
  return calculateNumbers(operator, a, b, isFloat(left) || isFloat(right))
}

function calculateNumbers(operator: string, a: number, b: number, isFloating: boolean): Value {
  if (b === 0 && (operator === '/' || operator === '//' || operator === '%')) throw evaluationError('a division by zero', 'another divisor')
  const result = (value: number): Value => (isFloating ? floatValue(value) : integerValue(value))
  switch (operator) {
    case '+':
      return result(a + b)
    case '-':
      return result(a - b)
    case '*':
      return result(a * b)
    case '/':
      return floatValue(a / b)
    case '//':
      return result(Math.floor(a / b))
    case '%': {
      // The remainder has the sign of the divisor.
      const remainder = a % b
      return result(remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder === 0 ? 0 : remainder)
    }
    case '**': {
      if (a === 0 && b < 0) throw evaluationError('zero to a negative power', 'another base')
      const power = a ** b
      if (!Number.isFinite(power)) throw evaluationError(`${a} ** ${b}`, 'a finite real number')
      return isFloating || b < 0 ? floatValue(power) : integerValue(power)
    }
    default:
      throw evaluationError(`the operator ${operator}`, 'an operator of Jinja')
  }
}

/** `text * count` and `list * count`; undefined when the operands are others. */
function repeat(value: Value, count: Value, meter: WorkMeter): Value | undefined {
  if (typeof count !== 'number' && typeof count !== 'boolean') return undefined
  const times = Math.max(0, Number(count))
  if (isText(value)) {
    if (times === 0) return plainText('')
    meter.makeText(value.text.length * times)
    meter.spend(times)
    const builder = new TextBuilder()
    for (let index = 0; index < times; index++) builder.add(value)
    return builder.finish()
  }
  if (!isSequence(value)) return undefined
  meter.spend(1 + value.items.length * times)
  const items: Value[] = []
  // An empty list stays empty, however often it is repeated.
  if (value.items.length > 0) for (let index = 0; index < times; index++) for (const item of value.items) items.push(item)
  return value.kind === 'list' ? listValue(items) : tupleValue(items)
}
