/** Python's `==` and `in`. The library compares as JavaScript does: lists by identity, `'' == 0` as true. */
import { ChatTemplateError } from './chat-template-error.ts'
import type { StepBudget } from './step-budget.ts'
import { isDict, isList, isNumber, isText, isTuple, isUndefined, type Value } from './values.ts'

const MAX_DEPTH = 200

export function isEqual(one: Value, other: Value, budget: StepBudget, depth = 0): boolean {
  budget.spend(1)
  if (depth > MAX_DEPTH) throw new ChatTemplateError('limit', 'data nested without end', `at most ${MAX_DEPTH} levels`)
  if (one === other) return true
  if (isText(one) && isText(other)) {
    if (one.value.length !== other.value.length) return false
    budget.spend(one.value.length >>> 5)
    return one.value === other.value
  }
  if (isList(one) && isList(other)) {
    if (one.value.length !== other.value.length || isTuple(one) !== isTuple(other)) return false
    return one.value.every((item, index) => isEqual(item, other.value[index] ?? item, budget, depth + 1))
  }
  if (isDict(one) && isDict(other)) {
    if (one.value.size !== other.value.size) return false
    for (const [key, item] of one.value) {
      const counterpart = other.value.get(key)
      if (counterpart === undefined || !isEqual(item, counterpart, budget, depth + 1)) return false
    }
    return true
  }
  const numbers = [numberOf(one), numberOf(other)]
  if (numbers[0] !== undefined) return numbers[0] === numbers[1]
  return one.type === other.type && (one.type === 'NullValue' || isUndefined(one))
}

/** Python counts booleans as numbers. */
function numberOf(value: Value): number | undefined {
  if (isNumber(value)) return value.value
  return value.type === 'BooleanValue' ? Number(value.value) : undefined
}

/** @throws {Error} when `container` holds nothing */
export function contains(container: Value, item: Value, budget: StepBudget): boolean {
  if (isUndefined(container)) return false
  if (isList(container)) return container.value.some((member) => isEqual(member, item, budget))
  if (isDict(container)) return isText(item) && container.value.has(item.value)
  if (!isText(container) || !isText(item)) throw new Error(`${item.type} in ${container.type}`)
  budget.search(container.value.length, item.value.length)
  return container.value.includes(item.value)
}
