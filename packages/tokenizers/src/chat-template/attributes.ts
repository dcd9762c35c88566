/**
 * What `value.name` and `value[key]` mean. Only what is listed here can be reached: there is no way from a template to a
 * property of a JavaScript object. As in Jinja, a point looks for methods first, a bracket for elements.
 */
import { ArgumentReader } from './call-arguments.ts'
import { areEqual } from './comparison.ts'
import { type MarkedText, sliceText } from './marked-text.ts'
import { type Method, TEXT_METHODS } from './text-methods.ts'
import { codePointOffsets } from './text-operations.ts'
import {
  callable,
  type DictValue,
  dictKey,
  evaluationError,
  isDict,
  isSequence,
  isText,
  isUndefined,
  type LoopValue,
  listValue,
  numberOf,
  type SequenceValue,
  tupleValue,
  typeName,
  undefinedError,
  undefinedValue,
  type Value,
  valueOr,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

export function getAttribute(object: Value, name: string, meter: WorkMeter): Value {
  const own = ownAttribute(object, name, meter)
  const found = own === undefined ? element(object, name) : own
  return found === undefined ? missing(object, name) : found
}

export function getItem(object: Value, index: Value, meter: WorkMeter): Value {
  if (isText(index)) {
    const own = element(object, index.text)
    const found = own === undefined ? ownAttribute(object, index.text, meter) : own
    return found === undefined ? missing(object, index.text) : found
  }
  if (isUndefined(object)) throw undefinedError(object)
  if (isDict(object)) return valueOr(object.entries.get(dictKey(index))?.value, missing(object, 'the key'))
  const position = numberOf(index)
  if (position === undefined || !Number.isInteger(position)) return missing(object, `the index of type ${typeName(index)}`)
  if (isSequence(object)) return valueOr(object.items.at(position), missing(object, `element ${position}`))
  if (isText(object)) return characterAt(object, position, meter)
  return missing(object, `element ${position}`)
}

function missing(object: Value, name: string): Value {
  return undefinedValue(`${name} of a ${typeName(object)}`)
}

function element(object: Value, name: string): Value | undefined {
  return isDict(object) ? object.entries.get(name)?.value : undefined
}

function characterAt(source: MarkedText, position: number, meter: WorkMeter): Value {
  const offsets = codePointOffsets(source.text, meter)
  const length = offsets === undefined ? source.text.length : offsets.length - 1
  const at = position < 0 ? position + length : position
  if (at < 0 || at >= length) return missing(source, `character ${position}`)
  return offsets === undefined ? sliceText(source, at, at + 1) : sliceText(source, offsets[at] ?? 0, offsets[at + 1] ?? 0)
}

function ownAttribute(object: Value, name: string, meter: WorkMeter): Value | undefined {
  if (isUndefined(object)) throw undefinedError(object)
  if (isText(object)) return bind(object, name, TEXT_METHODS, meter)
  if (isSequence(object)) return bind(object, name, SEQUENCE_METHODS, meter)
  if (isDict(object)) return bind(object, name, DICT_METHODS, meter)
  if (typeof object !== 'object' || object === null) return undefined
  if (object.kind === 'namespace') return object.attributes.get(name)
  return object.kind === 'loop' ? loopAttribute(object, name, meter) : undefined
}

function bind<T extends Value>(self: T, name: string, methods: ReadonlyMap<string, Method<T>>, meter: WorkMeter): Value | undefined {
  const method = methods.get(name)
  return method === undefined ? undefined : callable(name, (args) => method(self, args, meter))
}

const DICT_METHODS: ReadonlyMap<string, Method<DictValue>> = new Map<string, Method<DictValue>>([
  [
    'items',
    (self, _args, meter) => {
      meter.spend(self.entries.size)
      return listValue(Array.from(self.entries.values(), ({ key, value }) => tupleValue([key, value])))
    },
  ],
  [
    'keys',
    (self, _args, meter) => {
      meter.spend(self.entries.size)
      return listValue(Array.from(self.entries.values(), ({ key }) => key))
    },
  ],
  [
    'values',
    (self, _args, meter) => {
      meter.spend(self.entries.size)
      return listValue(Array.from(self.entries.values(), ({ value }) => value))
    },
  ],
  [
    'get',
    (self, args) => {
      const read = new ArgumentReader('get', args, ['key', 'default'])
      return valueOr(self.entries.get(dictKey(read.required('key')))?.value, valueOr(read.optional('default'), null))
    },
  ],
  ['copy', (self) => self],
])

const SEQUENCE_METHODS: ReadonlyMap<string, Method<SequenceValue>> = new Map<string, Method<SequenceValue>>([
  [
    'index',
    (self, args, meter) => {
      const wanted = new ArgumentReader('index', args, ['value']).required('value')
      const at = self.items.findIndex((item) => areEqual(item, wanted, meter))
      if (at < 0) throw evaluationError('a value that is not in the list', 'one that is')
      return at
    },
  ],
  [
    'count',
    (self, args, meter) => {
      const wanted = new ArgumentReader('count', args, ['value']).required('value')
      return self.items.filter((item) => areEqual(item, wanted, meter)).length
    },
  ],
  ['copy', (self) => self],
])

function loopAttribute(loop: LoopValue, name: string, meter: WorkMeter): Value | undefined {
  const { index, items } = loop
  switch (name) {
    case 'index':
      return index + 1
    case 'index0':
      return index
    case 'revindex':
      return items.length - index
    case 'revindex0':
      return items.length - index - 1
    case 'first':
      return index === 0
    case 'last':
      return index === items.length - 1
    case 'length':
      return items.length
    case 'previtem':
      return valueOr(items[index - 1], undefinedValue('the item before the first'))
    case 'nextitem':
      return valueOr(items[index + 1], undefinedValue('the item after the last'))
    case 'depth':
      return loop.depth
    case 'depth0':
      return loop.depth - 1
    case 'cycle':
      return callable('loop.cycle', ({ positional }) => {
        const value = positional[index % Math.max(positional.length, 1)]
        if (value === undefined) throw evaluationError('no items for loop.cycle', 'at least one')
        return value
      })
    case 'changed':
      return callable('loop.changed', ({ positional }) => {
        const last = loop.lastChanged
        const isSame = last?.length === positional.length && positional.every((value, at) => areEqual(value, last[at] ?? null, meter))
        loop.lastChanged = positional
        return !isSame
      })
    default:
      return undefined
  }
}
