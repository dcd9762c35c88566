/** The functions that every template finds: those of Jinja, and what transformers adds. */
import { ArgumentReader } from './call-arguments.ts'
import { ChatTemplateError } from './chat-template-error.ts'
import { EMPTY_TEXT, plainText } from './marked-text.ts'
import { printed } from './python-text.ts'
import type { Scope } from './scope.ts'
import { formatTime } from './time-format.ts'
import {
  type CallArguments,
  callable,
  dictKey,
  elementsOf,
  evaluationError,
  isDict,
  isSequence,
  isText,
  listValue,
  type NamespaceValue,
  type Value,
  valueOr,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

/** Jinja's sandbox refuses longer ranges as well. */
const MAX_RANGE = 100_000

/** @param clock  the time that `strftime_now` tells */
export function defineGlobals(scope: Scope, meter: WorkMeter, clock: () => Date): void {
  const functions: Readonly<Record<string, (args: CallArguments) => Value>> = {
    range: (args) => range(args, meter),
    namespace: (args) => namespaceFrom(args, meter),
    dict: (args) => dictFrom(args, meter),
    cycler,
    joiner: (args) => joiner(args),
    raise_exception: (args) => {
      const message = printed(new ArgumentReader('raise_exception', args, ['message']).required('message'), meter).text
      throw new ChatTemplateError('refused', message, 'a conversation that the template takes')
    },
    strftime_now: (args) => {
      const format = new ArgumentReader('strftime_now', args, ['format']).text('format').text
      meter.scan(format.length)
      return plainText(formatTime(clock(), format))
    },
  }
  for (const [name, call] of Object.entries(functions)) scope.set(name, callable(name, call))
}

function range(args: CallArguments, meter: WorkMeter): Value {
  const read = new ArgumentReader('range', args, ['start', 'stop', 'step'])
  const isShort = read.optional('stop') === undefined
  const start = isShort ? 0 : read.integer('start')
  const stop = isShort ? read.integer('start') : read.integer('stop')
  const step = read.integer('step', 1)
  if (step === 0) throw evaluationError('a range with step 0', 'another step')
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > MAX_RANGE) throw new ChatTemplateError('limit', `a range of ${length}`, `at most ${MAX_RANGE}`)
  meter.spend(length)
  return listValue(Array.from({ length }, (_, index) => start + index * step))
}

function namespaceFrom(args: CallArguments, meter: WorkMeter): NamespaceValue {
  const attributes = new Map<string, Value>()
  for (const [key, value] of pairsFrom('namespace', args, meter)) {
    const name = dictKey(key)
    if (typeof name !== 'string') throw evaluationError('a namespace with a key that is not text', 'names')
    if (name.startsWith('_')) throw evaluationError(`the attribute ${name} of a namespace`, 'a name without underscore in front')
    attributes.set(name, value)
  }
  return { kind: 'namespace', attributes }
}

function dictFrom(args: CallArguments, meter: WorkMeter): Value {
  const entries = new Map(pairsFrom('dict', args, meter).map(([key, value]) => [dictKey(key), { key, value }] as const))
  return { kind: 'dict', entries }
}

function pairsFrom(name: string, { positional, keyword }: CallArguments, meter: WorkMeter): [Value, Value][] {
  const [source] = new ArgumentReader(name, { positional, keyword: new Map() }, ['source']).names.map((_, index) => positional[index])
  const pairs: [Value, Value][] = []
  if (isDict(source)) for (const { key, value } of source.entries.values()) pairs.push([key, value])
  else if (source !== undefined) {
    for (const pair of elementsOf(source, meter)) {
      const [key, value] = isSequence(pair) && pair.items.length === 2 ? pair.items : []
      if (key === undefined || value === undefined)
        throw evaluationError(`${name} of something else than pairs`, 'a dict or a list of pairs')
      pairs.push([key, value])
    }
  }
  for (const [key, value] of keyword) pairs.push([plainText(key), value])
  meter.spend(pairs.length)
  return pairs
}

function cycler({ positional }: CallArguments): Value {
  if (positional.length === 0) throw evaluationError('a cycler without items', 'at least one')
  let index = 0
  const current = (): Value => valueOr(positional[index % positional.length], null)
  const attributes = new Map<string, Value>()
  const update = (next: number): void => {
    index = next
    attributes.set('current', current())
  }
  attributes.set(
    'next',
    callable('cycler.next', () => {
      const value = current()
      update(index + 1)
      return value
    }),
  )
  attributes.set(
    'reset',
    callable('cycler.reset', () => {
      update(0)
      return null
    }),
  )
  update(0)
  return { kind: 'namespace', attributes }
}

function joiner(args: CallArguments): Value {
  const separator = new ArgumentReader('joiner', args, ['sep']).optional('sep') ?? plainText(', ')
  let isFirst = true
  return callable('joiner', () => {
    const text = isFirst ? EMPTY_TEXT : isText(separator) ? separator : EMPTY_TEXT
    isFirst = false
    return text
  })
}
