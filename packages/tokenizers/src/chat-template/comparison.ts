/** Equality and order of template values, as Python defines them. */
import {
  dictKey,
  evaluationError,
  isDict,
  isSequence,
  isText,
  isUndefined,
  numberOf,
  typeName,
  undefinedError,
  type Value,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

export function areEqual(a: Value, b: Value, meter: WorkMeter): boolean {
  meter.spend(1)
  if (a === b) return true
  const left = numberOf(a)
  if (left !== undefined) return left === numberOf(b)
  if (isText(a)) {
    meter.makeText(a.text.length)
    return isText(b) && a.text === b.text
  }
  if (isUndefined(a)) return isUndefined(b)
  if (isSequence(a)) {
    if (!isSequence(b) || a.kind !== b.kind || a.items.length !== b.items.length) return false
    return a.items.every((item, index) => areEqual(item, b.items[index] ?? null, meter))
  }
  if (isDict(a)) {
    if (!isDict(b) || a.entries.size !== b.entries.size) return false
    for (const [key, { value }] of a.entries) {
      const other = b.entries.get(key)
      if (other === undefined || !areEqual(value, other.value, meter)) return false
    }
    return true
  }
  return false
}

/** Negative, zero or positive. @throws {ChatTemplateError} for values without an order between them */
export function compareValues(a: Value, b: Value, meter: WorkMeter): number {
  meter.spend(1)
  const left = numberOf(a)
  const right = numberOf(b)
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0
  if (isText(a) && isText(b)) {
    meter.makeText(Math.min(a.text.length, b.text.length))
    return compareCodePoints(a.text, b.text)
  }
  if (isSequence(a) && isSequence(b) && a.kind === b.kind) {
    for (let index = 0; index < Math.min(a.items.length, b.items.length); index++) {
      const [left, right] = [a.items[index] ?? null, b.items[index] ?? null]
      // Equal elements need no order, so two undefined ones are no error.
      if (!areEqual(left, right, meter)) return compareValues(left, right, meter)
    }
    return a.items.length - b.items.length
  }
  for (const value of [a, b]) if (isUndefined(value)) throw undefinedError(value)
  throw evaluationError(`${typeName(a)} compared with ${typeName(b)}`, 'values that have an order')
}

/** Python orders by code point, JavaScript by UTF-16 unit: they differ where a surrogate meets U+E000 to U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let index = 0; index < shared; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left === right) continue
    const isLeftSurrogate = left >= 0xd800 && left <= 0xdfff
    const isRightSurrogate = right >= 0xd800 && right <= 0xdfff
    if (isLeftSurrogate !== isRightSurrogate) return isLeftSurrogate ? 1 : -1
    return left - right
  }
  return a.length - b.length
}

/** `needle in container`. */
export function contains(container: Value, needle: Value, meter: WorkMeter): boolean {
  if (isText(container)) {
    if (!isText(needle)) {
      if (isUndefined(needle)) throw undefinedError(needle)
      throw evaluationError(`a value of type ${typeName(needle)} searched in text`, 'text')
    }
    meter.search(container.text.length, needle.text.length)
    return container.text.includes(needle.text)
  }
  if (isSequence(container)) return container.items.some((item) => areEqual(item, needle, meter))
  if (isDict(container)) return container.entries.has(dictKey(needle))
  if (isUndefined(container)) return false
  throw evaluationError(`a value of type ${typeName(container)} searched`, 'text, a list or a dict')
}
