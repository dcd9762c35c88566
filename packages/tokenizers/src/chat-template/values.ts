/**
 * The values of `@huggingface/jinja`. The library does not export their classes, so values are made by its environment and told
 * apart by their `type`.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'

export type Value = ReturnType<Interpreter['evaluate']>
export type TextValue = Extract<Value, { value: string }>
export type ListValue = Extract<Value, { value: Value[] }>
/** A dictionary or a namespace. */
export type DictValue = Extract<Value, { value: Map<string, Value> }>
export type NumberValue = Extract<Value, { value: number }>
export type FunctionValue = Extract<Value, { value: (...args: never[]) => unknown }>
export type TemplateFunction = FunctionValue['value']

export const isText = (value: Value | undefined): value is TextValue => value?.type === 'StringValue'
export const isList = (value: Value | undefined): value is ListValue => value?.type === 'ArrayValue' || value?.type === 'TupleValue'
export const isTuple = (value: Value): boolean => value.type === 'TupleValue' || pairs.has(value)
export const isDict = (value: Value | undefined): value is DictValue => value?.type === 'ObjectValue' || isNamespace(value)
export const isNamespace = (value: Value | undefined): boolean => value?.type === 'NamespaceValue'
export const isNumber = (value: Value | undefined): value is NumberValue => value?.type === 'IntegerValue' || value?.type === 'FloatValue'
export const isFunction = (value: Value | undefined): value is FunctionValue => value?.type === 'FunctionValue'
export const isUndefined = (value: Value | undefined): boolean => value === undefined || value.type === 'UndefinedValue'

/** Lists that print as tuples. The library's own tuples cannot be unpacked by its loops. */
const pairs = new WeakSet<Value>()
const maker = new Environment()
const floatLiteral = parse(tokenize('{{ 0.0 }}')).body[0]
const interpreter = new Interpreter(maker)

/** A value from plain data of JavaScript; whole numbers become integers. */
export function plainValue(plain: unknown): Value {
  maker.variables.clear()
  return maker.set('value', plain)
}

export function listOf(items: Value[]): Value {
  const list = plainValue([])
  list.value = items
  return list
}

export function tupleOf(items: Value[]): Value {
  const tuple = listOf(items)
  pairs.add(tuple)
  return tuple
}

export function dictOf(entries: Map<string, Value>): Value {
  const dict = plainValue({})
  dict.value = entries
  return dict
}

export function floatOf(number: number): Value {
  const float = interpreter.evaluate(floatLiteral, maker)
  float.value = number
  return float
}

export function functionOf(run: TemplateFunction): Value {
  const made = plainValue(() => null)
  made.value = run
  return made
}

/** The arguments by name of a call, which the library passes as the last value. */
export function namedArguments(args: readonly Value[]): ReadonlyMap<string, Value> {
  const last = args.at(-1)
  return last?.type === 'KeywordArgumentsValue' && last.value instanceof Map ? last.value : new Map()
}
