/**
 * Filters and methods as Jinja and Python have them, where the library has none, knows no arguments (`rstrip('\n')`), writes values
 * as JavaScript does, or would take unbounded time. All others are the library's: `abs`, `default`, `float`, `int`, `lower`,
 * `map(attribute=…)`, `reverse`, `safe`, `unique`, `upper`.
 */
import { Environment } from '@huggingface/jinja'
import { contains, isEqual } from './comparison.ts'
import { jsonText, percentFormat, pythonText, strip } from './python-text.ts'
import type { StepBudget } from './step-budget.ts'
import { isDict, isList, isNumber, isText, isUndefined, listOf, plainValue, tupleOf, type Value } from './values.ts'

export interface CallContext {
  readonly budget: StepBudget
  /** Characters that stand for others, and are written as they are; see `stand-ins.ts`. */
  readonly standIns: ReadonlyMap<string, string>
}

/** Arguments of a call, by place or by name. */
export interface Arguments {
  readonly all: readonly Value[]
  readonly named: ReadonlyMap<string, Value>
}

export type Filter = (operand: Value, args: Arguments, context: CallContext) => Value
type Method = (text: string, args: Arguments, context: CallContext) => Value

function argument({ all, named }: Arguments, index: number, name: string): Value | undefined {
  return all[index] ?? named.get(name)
}

function textArgument(args: Arguments, index: number, name: string): string | undefined {
  const value = argument(args, index, name)
  if (value === undefined || value.type === 'NullValue') return undefined
  if (!isText(value)) throw new Error(`the argument ${name} is no text`)
  return value.value
}

const isTrue = (value: Value | undefined): boolean => value?.__bool__().value === true
const stripMethod =
  (side: 'left' | 'right' | 'both'): Method =>
  (text, args, { budget }) => {
    const stripped = strip(text, side, textArgument(args, 0, 'chars'))
    budget.spend((text.length - stripped.length) >>> 2)
    return plainValue(stripped)
  }

const replace: Method = (text, args, { budget }) => {
  const old = textArgument(args, 0, 'old')
  const fresh = textArgument(args, 1, 'new')
  const count = argument(args, 2, 'count')
  if (old === undefined || fresh === undefined || old === '') throw new Error('replace needs a text to replace and another one')
  budget.search(text.length, old.length)
  let parts = text.split(old)
  if (isNumber(count) && count.value >= 0 && count.value < parts.length - 1) {
    parts = [...parts.slice(0, count.value), parts.slice(count.value).join(old)]
  }
  budget.spend(parts.length)
  budget.makeText(text.length + (parts.length - 1) * (fresh.length - old.length))
  return plainValue(parts.join(fresh))
}

const join = (items: readonly Value[], separator: string, { budget }: CallContext): Value => {
  const texts = items.map((item) => pythonText(item, budget))
  budget.makeText(texts.reduce((sum, text) => sum + text.length, separator.length * texts.length))
  budget.spend(texts.length)
  return plainValue(texts.join(separator))
}

const indent: Method = (text, args, { budget }) => {
  const width = argument(args, 0, 'width') ?? plainValue(4)
  const length = isNumber(width) ? width.value : isText(width) ? width.value.length : 0
  const lines = text.split('\n')
  budget.makeText(text.length + length * lines.length)
  const padding = isText(width) ? width.value : ' '.repeat(length)
  const isPadded = (line: string, index: number): boolean => {
    return (index > 0 || isTrue(argument(args, 1, 'first'))) && (line !== '' || isTrue(argument(args, 2, 'blank')))
  }
  return plainValue(lines.map((line, index) => (isPadded(line, index) ? padding + line : line)).join('\n'))
}

const capitalize: Method = (text) => plainValue(text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase())
const title: Method = (text) => {
  return plainValue(text.replace(/[\p{L}\p{M}]+/gu, (word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase()))
}

/** The filter, unlike the method, begins words only after white space, hyphens and opening brackets. */
const titleOfWords: Method = (text) => {
  return plainValue(text.replace(/[^-\s({[<]+/g, (word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase()))
}

export const TEXT_METHODS: ReadonlyMap<string, Method> = new Map([
  ['strip', stripMethod('both')],
  ['lstrip', stripMethod('left')],
  ['rstrip', stripMethod('right')],
  ['replace', replace],
  ['capitalize', capitalize],
  ['title', title],
  ['join', (text, { all }, context) => join(elements(all[0]), text, context)],
  ['removeprefix', (text, args) => plainValue(removed(text, textArgument(args, 0, 'prefix') ?? '', (part) => text.startsWith(part), 0))],
  ['removesuffix', (text, args) => plainValue(removed(text, textArgument(args, 0, 'suffix') ?? '', (part) => text.endsWith(part), 1))],
])

function removed(text: string, part: string, isThere: (part: string) => boolean, side: 0 | 1): string {
  if (!isThere(part)) return text
  return side === 0 ? text.slice(part.length) : text.slice(0, text.length - part.length)
}

/** Steps for a pair of a dictionary: three values are made. */
const ITEM_STEPS = 8

/** What a loop over a value walks through. */
export function elements(value: Value | undefined): Value[] {
  if (value === undefined || isUndefined(value)) return []
  if (isList(value)) return value.value
  if (isText(value)) return Array.from(value.value, plainValue)
  if (isDict(value) && value.type === 'ObjectValue') return Array.from(value.value.keys(), plainValue)
  throw new Error(`${value.type} cannot be walked through`)
}

export function dictItems(value: Value, budget: StepBudget): Value[] {
  if (isUndefined(value)) return []
  if (!isDict(value)) throw new Error(`items of ${value.type}`)
  budget.spend(ITEM_STEPS * (1 + value.value.size))
  return Array.from(value.value, ([key, item]) => tupleOf([plainValue(key), item]))
}

function sorted(
  items: readonly Value[],
  keyOf: (item: Value) => Value,
  isCaseSensitive: boolean,
  isReversed: boolean,
  budget: StepBudget,
): Value {
  const keyed = items.map((item) => {
    const key = keyOf(item)
    if (!isText(key) && !isNumber(key)) throw new Error(`cannot sort by ${key.type}`)
    // Each key is compared some times over.
    budget.spend(16 * (1 + (isText(key) ? key.value.length >>> 5 : 0)))
    return { item, key: isText(key) && !isCaseSensitive ? key.value.toLowerCase() : key.value }
  })
  if (new Set(keyed.map(({ key }) => typeof key)).size > 1) throw new Error('cannot sort numbers and texts together')
  keyed.sort(({ key: one }, { key: other }) => (one === other ? 0 : one < other !== isReversed ? -1 : 1))
  return listOf(keyed.map(({ item }) => item))
}

function attributeOf(item: Value, path: string): Value {
  let value: Value | undefined = item
  for (const name of path.split('.')) value = isDict(value) ? value.value.get(name) : isList(value) ? value.value[Number(name)] : undefined
  return value ?? plainValue(undefined)
}

/** Python counts code points where JavaScript counts UTF-16 units. */
function lengthOf(value: Value, budget: StepBudget): number {
  if (isUndefined(value)) return 0
  if (isList(value)) return value.value.length
  if (isDict(value) && value.type === 'ObjectValue') return value.value.size
  if (!isText(value)) throw new Error(`${value.type} has no length`)
  budget.spend(value.value.length >>> 5)
  return value.value.length - (value.value.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0)
}

const ofText =
  (method: Method): Filter =>
  (operand, args, context) =>
    method(pythonText(operand, context.budget), args, context)

const tojson: Filter = (operand, args, { budget, standIns }) => {
  const indent = argument(args, 1, 'indent')
  const separators = argument(args, 2, 'separators')
  const width = isNumber(indent) ? indent.value : isText(indent) ? indent.value.length : undefined
  if (width !== undefined) budget.makeText(width)
  const pair = isList(separators) ? separators.value.map((part) => pythonText(part, budget)) : [width === undefined ? ', ' : ',', ': ']
  const layout = {
    ensureAscii: isTrue(argument(args, 0, 'ensure_ascii')),
    separators: [pair[0] ?? '', pair[1] ?? ''] as const,
    sortKeys: isTrue(argument(args, 3, 'sort_keys')),
    standIns,
    ...(width === undefined ? {} : { indent: isText(indent) ? indent.value : ' '.repeat(width) }),
  }
  return plainValue(jsonText(operand, layout, budget))
}

const OWN: readonly (readonly [string, Filter])[] = [
  ['string', (operand, _, { budget }) => (isText(operand) ? operand : plainValue(pythonText(operand, budget)))],
  ['trim', ofText(stripMethod('both'))],
  ['replace', ofText(replace)],
  ['capitalize', ofText(capitalize)],
  ['title', ofText(titleOfWords)],
  ['indent', ofText(indent)],
  ['tojson', tojson],
  ['format', (operand, { all }, { budget }) => plainValue(percentFormat(pythonText(operand, budget), all, budget))],
  ['list', (operand) => listOf([...elements(operand)])],
  ['length', (operand, _, { budget }) => plainValue(lengthOf(operand, budget))],
  ['first', (operand) => elements(operand)[0] ?? plainValue(undefined)],
  ['last', (operand) => elements(operand).at(-1) ?? plainValue(undefined)],
  ['items', (operand, _, { budget }) => listOf(dictItems(operand, budget))],
  [
    'join',
    (operand, args, context) => {
      const attribute = textArgument(args, 1, 'attribute')
      const items = elements(operand)
      const chosen = attribute === undefined ? items : items.map((item) => attributeOf(item, attribute))
      return join(chosen, textArgument(args, 0, 'd') ?? '', context)
    },
  ],
  [
    'sort',
    (operand, args, { budget }) => {
      const attribute = textArgument(args, 2, 'attribute')
      const keyOf = (item: Value) => (attribute === undefined ? item : attributeOf(item, attribute))
      return sorted(elements(operand), keyOf, isTrue(argument(args, 1, 'case_sensitive')), isTrue(argument(args, 0, 'reverse')), budget)
    },
  ],
  [
    'dictsort',
    (operand, args, { budget }) => {
      const part = textArgument(args, 1, 'by') === 'value' ? '1' : '0'
      const keyOf = (pair: Value) => attributeOf(pair, part)
      const isCaseSensitive = isTrue(argument(args, 0, 'case_sensitive'))
      return sorted(dictItems(operand, budget), keyOf, isCaseSensitive, isTrue(argument(args, 2, 'reverse')), budget)
    },
  ],
]

/** Tests that take an argument, which the library's reader does not know. */
export const ARGUMENT_TESTS: ReadonlyMap<string, (value: Value, argument: Value, budget: StepBudget) => boolean> = new Map([
  [
    'divisibleby',
    (value, by) => {
      if (!isNumber(value) || !isNumber(by) || by.value === 0) throw new Error(`${value.type} divisible by ${by.type}`)
      return value.value % by.value === 0
    },
  ],
  [
    'sameas',
    (value, other) => value === other || (value.type === other.type && !isList(value) && !isDict(value) && value.value === other.value),
  ],
  ['equalto', isEqual],
  ['eq', isEqual],
  ['ne', (value, other, budget) => !isEqual(value, other, budget)],
  ['in', (value, container, budget) => contains(container, value, budget)],
])

function testFilter(name: string, isNegated: boolean): Filter {
  const test = ARGUMENT_TESTS.get(name)
  return (operand, { all }, { budget }) => plainValue(test?.(operand, all[0] ?? plainValue(undefined), budget) !== isNegated)
}

const LIBRARY_TESTS = new Environment().tests

function testNamed(name: string): ((value: Value, other: Value, budget: StepBudget) => boolean) | undefined {
  const library = LIBRARY_TESTS.get(name)
  return ARGUMENT_TESTS.get(name) ?? (library === undefined ? undefined : (value) => library(value))
}

/** The elements that pass a test, or fail it: they themselves, or one of their attributes. Without a test they must be true. */
function choose(isPassing: boolean, hasAttribute: boolean): Filter {
  return (operand, args, { budget }) => {
    const path = hasAttribute ? textArgument(args, 0, 'attribute') : undefined
    const [name, other = plainValue(undefined)] = args.all.slice(hasAttribute ? 1 : 0)
    const test = name === undefined ? isTrue : isText(name) ? testNamed(name.value) : undefined
    if (test === undefined || (hasAttribute && path === undefined)) throw new Error('a choice by an attribute or a test that is not known')
    const chosen = elements(operand).filter((item) => {
      budget.spend(1 + sizeOf(item))
      return test(path === undefined ? item : attributeOf(item, path), other, budget) === isPassing
    })
    return listOf(chosen)
  }
}

export const FILTERS: ReadonlyMap<string, Filter> = new Map([
  ...OWN,
  ['select', choose(true, false)],
  ['reject', choose(false, false)],
  ['selectattr', choose(true, true)],
  ['rejectattr', choose(false, true)],
  ...[...ARGUMENT_TESTS.keys()].flatMap((name) => [
    [`is ${name}`, testFilter(name, false)] as const,
    [`is not ${name}`, testFilter(name, true)] as const,
  ]),
])

/** Steps for a filter or method that goes through all of its operand. */
export function sizeOf(value: Value): number {
  if (isText(value)) return value.value.length >>> 5
  return isList(value) ? value.value.length >>> 1 : isDict(value) ? value.value.size >>> 1 : 0
}
