/** The filters of Jinja that chat templates use: text and single values here, lists in `sequence-filters.ts`. */
import { getItem } from './attributes.ts'
import { ArgumentReader } from './call-arguments.ts'
import { jsonText } from './json-text.ts'
import { type MarkedText, mapStretches, plainText } from './marked-text.ts'
import { formatPercent } from './percent-format.ts'
import { printed } from './python-text.ts'
import { mapElements, SEQUENCE_FILTERS } from './sequence-filters.ts'
import { TEXT_METHODS } from './text-methods.ts'
import {
  capitalizeText,
  codePointLength,
  indentText,
  justifyText,
  replaceText,
  splitAtSpaces,
  stripText,
  titleFilter,
} from './text-operations.ts'
import {
  type CallArguments,
  dictValue,
  evaluationError,
  floatValue,
  integerValue,
  isDict,
  isFloat,
  isSequence,
  isText,
  isTruthy,
  isUndefined,
  listValue,
  numberOf,
  tupleValue,
  typeName,
  undefinedError,
  type Value,
  valueOr,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

export type Filter = (value: Value, args: CallArguments, meter: WorkMeter) => Value

/** A filter on the text that a value prints as. */
function onText(apply: (text: MarkedText, args: CallArguments, meter: WorkMeter) => Value): Filter {
  return (value, args, meter) => apply(printed(value, meter), args, meter)
}

function method(name: string): Filter {
  return onText((text, args, meter) => TEXT_METHODS.get(name)?.(text, args, meter) ?? text)
}

function length(value: Value, _args: CallArguments, meter: WorkMeter): Value {
  if (isText(value)) return codePointLength(value.text, meter)
  if (isSequence(value)) return value.items.length
  if (isDict(value)) return value.entries.size
  if (isUndefined(value)) return 0
  throw evaluationError(`the length of a ${typeName(value)}`, 'text, a list or a dict')
}

function defaultFilter(value: Value, args: CallArguments): Value {
  const read = new ArgumentReader('default', args, ['default_value', 'boolean'])
  const isReplaced = isUndefined(value) || (isTruthy(read.optional('boolean') ?? false) && !isTruthy(value))
  return isReplaced ? valueOr(read.optional('default_value'), plainText('')) : value
}

function toInteger(value: Value, args: CallArguments): Value {
  const read = new ArgumentReader('int', args, ['default', 'base'])
  const fallback = valueOr(read.optional('default'), 0)
  const number = numberOf(value)
  if (number !== undefined) return Number.isFinite(number) ? integerValue(Math.trunc(number) || 0) : fallback
  if (isUndefined(value)) throw undefinedError(value)
  if (!isText(value)) return fallback
  const text = value.text.trim().replace(/(?<=\d)_(?=\d)/g, '')
  const base = read.integer('base', 10)
  if (base !== 10) {
    const digits = Number.parseInt(text.replace(/^([-+]?)0[xob]/i, '$1'), base)
    return Number.isNaN(digits) ? fallback : integerValue(digits)
  }
  if (/^[-+]?\d+$/.test(text)) return integerValue(Number(text))
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? integerValue(Math.trunc(Number(text)) || 0) : fallback
}

function toFloat(value: Value, args: CallArguments): Value {
  const fallback = valueOr(new ArgumentReader('float', args, ['default']).optional('default'), floatValue(0))
  const number = numberOf(value)
  if (number !== undefined) return floatValue(number)
  if (isUndefined(value)) throw undefinedError(value)
  const text = isText(value) ? value.text.trim().replace(/(?<=\d)_(?=\d)/g, '') : ''
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? floatValue(Number(text)) : fallback
}

function absolute(value: Value): Value {
  const number = numberOf(value)
  if (number === undefined) throw isUndefined(value) ? undefinedError(value) : evaluationError(`abs of a ${typeName(value)}`, 'a number')
  return isFloat(value) ? floatValue(Math.abs(number)) : Math.abs(number)
}

function round(value: Value, args: CallArguments): Value {
  const read = new ArgumentReader('round', args, ['precision', 'method'])
  const number = numberOf(value)
  if (number === undefined) throw isUndefined(value) ? undefinedError(value) : evaluationError(`round of a ${typeName(value)}`, 'a number')
  const scale = 10 ** read.integer('precision', 0)
  const kind = read.optionalText('method')?.text ?? 'common'
  const scaled = number * scale
  if (kind === 'ceil') return floatValue(Math.ceil(scaled) / scale)
  if (kind === 'floor') return floatValue(Math.floor(scaled) / scale)
  if (kind !== 'common') throw evaluationError(`the rounding ${kind}`, 'common, ceil or floor')
  const below = Math.floor(scaled)
  // Python rounds halves to the even neighbour.
  const nearest = scaled - below === 0.5 ? below + (below % 2 === 0 ? 0 : 1) : Math.round(scaled)
  const rounded = nearest / scale
  return isFloat(value) ? floatValue(rounded) : integerValue(rounded)
}

function tojson(value: Value, args: CallArguments, meter: WorkMeter): Value {
  const read = new ArgumentReader('tojson', args, ['ensure_ascii', 'indent', 'separators', 'sort_keys'])
  const indent = read.optional('indent') ?? null
  const separators = read.optional('separators') ?? null
  const [item, key] = isSequence(separators) ? separators.items : []
  if (separators !== null && !(isText(item) && isText(key))) throw evaluationError('wrong separators', 'two texts')
  if (typeof indent === 'number') meter.makeText(indent)
  return jsonText(
    value,
    {
      ensureAscii: isTruthy(read.optional('ensure_ascii') ?? false),
      indent: indent === null ? undefined : isText(indent) ? indent.text : ' '.repeat(Math.max(0, read.integer('indent'))),
      itemSeparator: isText(item) ? item.text : indent === null ? ', ' : ',',
      keySeparator: isText(key) ? key.text : ': ',
      sortKeys: isTruthy(read.optional('sort_keys') ?? false),
    },
    meter,
  )
}

function indent(value: Value, args: CallArguments, meter: WorkMeter): Value {
  const read = new ArgumentReader('indent', args, ['width', 'first', 'blank'])
  const width = read.optional('width') ?? 4
  if (!isText(width)) meter.makeText(read.integer('width', 4))
  const padding = isText(width) ? width.text : ' '.repeat(Math.max(0, read.integer('width', 4)))
  return indentText(
    printed(value, meter),
    padding,
    isTruthy(read.optional('first') ?? false),
    isTruthy(read.optional('blank') ?? false),
    meter,
  )
}

function items(value: Value, args: CallArguments, meter: WorkMeter): Value {
  new ArgumentReader('items', args, [])
  if (isUndefined(value)) return listValue([])
  if (!isDict(value)) throw evaluationError(`items of a ${typeName(value)}`, 'a dict')
  meter.spend(value.entries.size)
  return listValue(Array.from(value.entries.values(), ({ key, value: item }) => tupleValue([key, item])))
}

const HTML_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ["'", '&#39;'],
  ['"', '&#34;'],
])

const escapeHtml: Filter = onText((text, _args, meter) => {
  meter.scan(text.text.length)
  return mapStretches(text, (stretch) => stretch.replace(/[&<>'"]/g, (character) => HTML_ESCAPES.get(character) ?? character))
})

const trim: Filter = onText((text, args, meter) =>
  stripText(text, 'both', new ArgumentReader('trim', args, ['chars']).optionalText('chars')?.text, meter),
)

const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['default', defaultFilter],
  ['d', defaultFilter],
  ['length', length],
  ['count', length],
  ['string', onText((text) => text)],
  ['safe', onText((text) => text)],
  ['escape', escapeHtml],
  ['e', escapeHtml],
  ['trim', trim],
  ['upper', method('upper')],
  ['lower', method('lower')],
  ['capitalize', onText((text, _args, meter) => capitalizeText(text, meter))],
  ['title', onText((text, _args, meter) => titleFilter(text, meter))],
  [
    'center',
    onText((text, args, meter) =>
      justifyText(text, new ArgumentReader('center', args, ['width']).integer('width', 80), ' ', 'center', meter),
    ),
  ],
  [
    'replace',
    onText((text, args, meter) => {
      const read = new ArgumentReader('replace', args, ['old', 'new', 'count'])
      const [old, replacement] = [printed(read.required('old'), meter), printed(read.required('new'), meter)]
      return replaceText(text, old.text, replacement, read.optional('count') === null ? -1 : read.integer('count', -1), meter)
    }),
  ],
  ['indent', indent],
  [
    'format',
    onText((text, { positional, keyword }, meter) => {
      const mapping = dictValue(Array.from(keyword, ([name, value]) => [plainText(name), value] as const))
      return formatPercent(text, positional, mapping, meter)
    }),
  ],
  ['wordcount', onText((text, _args, meter) => splitAtSpaces(text, -1, false, meter).length)],
  ['int', toInteger],
  ['float', toFloat],
  ['abs', absolute],
  ['round', round],
  ['tojson', tojson],
  ['items', items],
  ['attr', (value, args, meter) => getItem(value, new ArgumentReader('attr', args, ['name']).text('name'), meter)],
  ['map', (value, args, meter) => mapElements(value, args, meter, applyFilter)],
  ...SEQUENCE_FILTERS,
])

export function findFilter(name: string): Filter {
  const filter = FILTERS.get(name)
  if (filter === undefined) throw evaluationError(`the filter ${name}`, `one of ${[...FILTERS.keys()].sort().join(', ')}`)
  return filter
}

/** The filter by name and its result; `map`, `select` and `reject` take filters and tests by name. */
export function applyFilter(name: string, value: Value, args: CallArguments, meter: WorkMeter): Value {
  meter.spend(1)
  return findFilter(name)(value, args, meter)
}
