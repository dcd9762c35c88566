/**
 * Values of templates, as Python has them: whole numbers are JavaScript numbers, `None` is null, everything else that JavaScript
 * cannot tell apart carries a kind. Keys live in Maps, so `constructor` and `__proto__` are keys like any other and no template
 * can reach a JavaScript object.
 */
import { ChatTemplateError } from './chat-template-error.ts'
import { foreignText, type MarkedText, plainText } from './marked-text.ts'
import type { WorkMeter } from './work-meter.ts'

export type Value =
  | null
  | boolean
  | number
  | FloatValue
  | MarkedText
  | SequenceValue
  | DictValue
  | NamespaceValue
  | LoopValue
  | CallableValue
  | UndefinedValue

export interface FloatValue {
  readonly kind: 'float'
  readonly value: number
}

/** A list or a tuple. */
export interface SequenceValue {
  readonly kind: 'list' | 'tuple'
  readonly items: readonly Value[]
}

export type DictKey = string | number | null

export interface DictValue {
  readonly kind: 'dict'
  readonly entries: ReadonlyMap<DictKey, { readonly key: Value; readonly value: Value }>
}

/** What `namespace()` gives: the only thing a template can change. */
export interface NamespaceValue {
  readonly kind: 'namespace'
  readonly attributes: Map<string, Value>
}

/** The variable `loop`. */
export interface LoopValue {
  readonly kind: 'loop'
  readonly items: readonly Value[]
  index: number
  readonly depth: number
  lastChanged: readonly Value[] | undefined
}

export interface CallArguments {
  readonly positional: readonly Value[]
  readonly keyword: ReadonlyMap<string, Value>
}

export interface CallableValue {
  readonly kind: 'callable'
  readonly name: string
  call(args: CallArguments): Value
}

/** Prints as nothing and counts as false; most other uses are errors that name what is missing. */
export interface UndefinedValue {
  readonly kind: 'undefined'
  readonly what: string
}

export function undefinedValue(what: string): UndefinedValue {
  return { kind: 'undefined', what }
}

export function floatValue(value: number): FloatValue {
  return { kind: 'float', value }
}

export function listValue(items: readonly Value[]): SequenceValue {
  return { kind: 'list', items }
}

export function tupleValue(items: readonly Value[]): SequenceValue {
  return { kind: 'tuple', items }
}

export function callable(name: string, call: (args: CallArguments) => Value): CallableValue {
  return { kind: 'callable', name, call }
}

/** `??` would take None for missing. */
export function valueOr(value: Value | undefined, fallback: Value): Value {
  return value === undefined ? fallback : value
}

/** The kind of a value, by Python's name where there is one. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return 'int'
  return value.kind === 'text' ? 'str' : value.kind === 'callable' ? 'function' : value.kind
}

export function isText(value: Value | undefined): value is MarkedText {
  return typeof value === 'object' && value !== null && value.kind === 'text'
}

export function isSequence(value: Value | undefined): value is SequenceValue {
  return typeof value === 'object' && value !== null && (value.kind === 'list' || value.kind === 'tuple')
}

export function isDict(value: Value | undefined): value is DictValue {
  return typeof value === 'object' && value !== null && value.kind === 'dict'
}

export function isUndefined(value: Value | undefined): value is UndefinedValue {
  return typeof value === 'object' && value !== null && value.kind === 'undefined'
}

export function isFloat(value: Value | undefined): value is FloatValue {
  return typeof value === 'object' && value !== null && value.kind === 'float'
}

/** The number behind an int, a bool or a float; undefined for anything else. */
export function numberOf(value: Value | undefined): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  return isFloat(value) ? value.value : undefined
}

/** Whole number as a result; Python's integers beyond 2^53 are refused rather than rounded. */
export function integerValue(value: number): number {
  if (!Number.isSafeInteger(value)) throw new ChatTemplateError('evaluation', `the integer ${value}`, 'an integer below 2^53')
  return value
}

export function isTruthy(value: Value): boolean {
  if (value === null || typeof value === 'boolean') return value === true
  if (typeof value === 'number') return value !== 0
  switch (value.kind) {
    case 'text':
      return value.text.length > 0
    case 'float':
      return value.value !== 0
    case 'list':
    case 'tuple':
      return value.items.length > 0
    case 'dict':
      return value.entries.size > 0
    case 'undefined':
      return false
    default:
      return true
  }
}

export function dictKey(value: Value): DictKey {
  if (value === null) return null
  if (isText(value)) return value.text
  const number = numberOf(value)
  if (number !== undefined) return number
  throw evaluationError(`a key of type ${typeName(value)}`, 'a text, a number or none')
}

export function dictValue(pairs: Iterable<readonly [Value, Value]>): DictValue {
  const entries = new Map<DictKey, { key: Value; value: Value }>()
  for (const [key, value] of pairs) {
    // Of equal keys (1 and true) the first stays.
    const id = dictKey(key)
    entries.set(id, { key: valueOr(entries.get(id)?.key, key), value })
  }
  return { kind: 'dict', entries }
}

/** The elements that a loop over a value sees. @throws {ChatTemplateError} when it has none */
export function elementsOf(value: Value, meter: WorkMeter): readonly Value[] {
  if (isSequence(value)) return value.items
  if (isDict(value)) {
    meter.spend(value.entries.size)
    return Array.from(value.entries.values(), (entry) => entry.key)
  }
  if (isText(value)) return charactersOf(value, meter)
  if (isUndefined(value)) return []
  throw evaluationError(`a value of type ${typeName(value)}`, 'something that can be iterated')
}

function charactersOf({ text, marks }: MarkedText, meter: WorkMeter): MarkedText[] {
  meter.spend(text.length)
  const characters: MarkedText[] = []
  let mark = 0
  let position = 0
  for (const character of text) {
    while (mark < marks.length && (marks[mark + 1] ?? 0) <= position) mark += 2
    characters.push((marks[mark] ?? Number.POSITIVE_INFINITY) <= position ? foreignText(character) : plainText(character))
    position += character.length
  }
  return characters
}

export function evaluationError(found: string, expected: string): ChatTemplateError {
  return new ChatTemplateError('evaluation', found, expected)
}

export function undefinedError(value: UndefinedValue): ChatTemplateError {
  return evaluationError(`${value.what}, which is undefined`, 'a value')
}
