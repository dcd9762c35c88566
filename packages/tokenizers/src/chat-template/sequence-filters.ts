/** The filters of Jinja that take lists apart and put them together. */

import { applyBinary } from './arithmetic.ts'
import { getItem } from './attributes.ts'
import { ArgumentReader } from './call-arguments.ts'
import { areEqual, compareValues } from './comparison.ts'
import { mapWhole, plainText } from './marked-text.ts'
import { printed } from './python-text.ts'
import { findTest } from './tests.ts'
import { joinWith } from './text-operations.ts'
import {
  type CallArguments,
  dictKey,
  elementsOf,
  evaluationError,
  isDict,
  isText,
  isTruthy,
  isUndefined,
  listValue,
  tupleValue,
  typeName,
  undefinedValue,
  type Value,
  valueOr,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

type Filter = (value: Value, args: CallArguments, meter: WorkMeter) => Value

/** A filter on the elements of a value. */
function onElements(apply: (elements: readonly Value[], args: CallArguments, meter: WorkMeter) => Value): Filter {
  return (value, args, meter) => {
    const elements = elementsOf(value, meter)
    meter.spend(elements.length)
    return apply(elements, args, meter)
  }
}

/** `a.b.0`: an attribute path as `map`, `sort` and others take it. */
function attributeAt(value: Value, path: Value, meter: WorkMeter): Value {
  if (!isText(path)) return getItem(value, path, meter)
  let current = value
  for (const part of path.text.split('.')) current = getItem(current, /^\d+$/.test(part) ? Number(part) : plainText(part), meter)
  return current
}

function attributeOr(value: Value, path: Value | undefined, meter: WorkMeter): Value {
  return path === undefined || path === null ? value : attributeAt(value, path, meter)
}

function foldCase(value: Value, isCaseSensitive: boolean, meter: WorkMeter): Value {
  if (isCaseSensitive || !isText(value)) return value
  meter.scan(value.text.length)
  return mapWhole(value, (text) => text.toLowerCase())
}

const first = onElements(([item]) => valueOr(item, undefinedValue('the first item of an empty list')))

const last = onElements((items) => valueOr(items.at(-1), undefinedValue('the last item of an empty list')))

const join = onElements((items, args, meter) => {
  const read = new ArgumentReader('join', args, ['d', 'attribute'])
  const separator = printed(valueOr(read.optional('d'), plainText('')), meter)
  const texts = items.map((item) => printed(attributeOr(item, read.optional('attribute'), meter), meter))
  return joinWith(separator, texts, meter)
})

function reverse(value: Value, args: CallArguments, meter: WorkMeter): Value {
  new ArgumentReader('reverse', args, [])
  const items = [...elementsOf(value, meter)].reverse()
  return isText(value) ? joinWith(plainText(''), items.filter(isText), meter) : listValue(items)
}

const sort = onElements((items, args, meter) => {
  const read = new ArgumentReader('sort', args, ['reverse', 'case_sensitive', 'attribute'])
  const isCaseSensitive = isTruthy(read.optional('case_sensitive') ?? false)
  const attribute = read.optional('attribute')
  const paths = isText(attribute) ? attribute.text.split(',').map(plainText) : [attribute]
  const keyed = items.map((item) => ({ item, keys: paths.map((path) => foldCase(attributeOr(item, path, meter), isCaseSensitive, meter)) }))
  const sign = isTruthy(read.optional('reverse') ?? false) ? -1 : 1
  keyed.sort((a, b) => sign * compareValues(listValue(a.keys), listValue(b.keys), meter))
  return listValue(keyed.map(({ item }) => item))
})

function dictsort(value: Value, args: CallArguments, meter: WorkMeter): Value {
  const read = new ArgumentReader('dictsort', args, ['case_sensitive', 'by', 'reverse'])
  if (!isDict(value)) throw evaluationError(`dictsort of a ${typeName(value)}`, 'a dict')
  const by = read.optionalText('by')?.text ?? 'key'
  if (by !== 'key' && by !== 'value') throw evaluationError(`dictsort by ${by}`, 'key or value')
  const isCaseSensitive = isTruthy(read.optional('case_sensitive') ?? false)
  const sign = isTruthy(read.optional('reverse') ?? false) ? -1 : 1
  const entries = [...value.entries.values()].map((entry) => ({ entry, by: foldCase(entry[by], isCaseSensitive, meter) }))
  entries.sort((a, b) => sign * compareValues(a.by, b.by, meter))
  return listValue(entries.map(({ entry }) => tupleValue([entry.key, entry.value])))
}

const unique = onElements((items, args, meter) => {
  const read = new ArgumentReader('unique', args, ['case_sensitive', 'attribute'])
  const isCaseSensitive = isTruthy(read.optional('case_sensitive') ?? false)
  const seen = new Set<string | number | null>()
  return listValue(
    items.filter((item) => {
      const key = dictKey(foldCase(attributeOr(item, read.optional('attribute'), meter), isCaseSensitive, meter))
      return !seen.has(key) && seen.add(key)
    }),
  )
})

function extreme(name: string, sign: 1 | -1): Filter {
  return onElements((items, args, meter) => {
    const read = new ArgumentReader(name, args, ['case_sensitive', 'attribute'])
    const isCaseSensitive = isTruthy(read.optional('case_sensitive') ?? false)
    let best: { readonly item: Value; readonly key: Value } | undefined
    for (const item of items) {
      const key = foldCase(attributeOr(item, read.optional('attribute'), meter), isCaseSensitive, meter)
      if (best === undefined || sign * compareValues(key, best.key, meter) < 0) best = { item, key }
    }
    return best === undefined ? undefinedValue(`the ${name} of an empty list`) : best.item
  })
}

const sum = onElements((items, args, meter) => {
  const read = new ArgumentReader('sum', args, ['attribute', 'start'])
  let total = valueOr(read.optional('start'), 0)
  for (const item of items) total = applyBinary('+', total, attributeOr(item, read.optional('attribute'), meter), meter)
  return total
})

/** `select`, `reject` and their forms with an attribute: a test by name, or truth. */
function selecting(withAttribute: boolean, keeps: boolean): Filter {
  return onElements((items, { positional, keyword }, meter) => {
    const attribute = withAttribute ? positional[0] : undefined
    const [name, ...args] = withAttribute ? positional.slice(1) : positional
    if (name !== undefined && !isText(name)) throw evaluationError(`a test of type ${typeName(name)}`, 'the name of a test')
    const test = name === undefined ? undefined : findTest(name.text)
    return listValue(
      items.filter((item) => {
        const value = attributeOr(item, attribute, meter)
        return (test === undefined ? isTruthy(value) : test(value, { positional: args, keyword }, meter)) === keeps
      }),
    )
  })
}

function batches(value: Value, args: CallArguments, meter: WorkMeter): Value {
  const read = new ArgumentReader('batch', args, ['linecount', 'fill_with'])
  const size = read.integer('linecount')
  if (size < 1) throw evaluationError(`batches of ${size}`, 'at least 1')
  const items = elementsOf(value, meter)
  const fill = read.optional('fill_with') ?? null
  const rows: Value[] = []
  for (let start = 0; start < items.length; start += size) {
    const row = items.slice(start, start + size)
    if (fill !== null) {
      meter.spend(size)
      while (row.length < size) row.push(fill)
    }
    rows.push(listValue(row))
  }
  return listValue(rows)
}

function slices(value: Value, args: CallArguments, meter: WorkMeter): Value {
  const read = new ArgumentReader('slice', args, ['slices', 'fill_with'])
  const count = read.integer('slices')
  if (count < 1) throw evaluationError(`${count} slices`, 'at least 1')
  meter.spend(count)
  const items = elementsOf(value, meter)
  const fill = valueOr(read.optional('fill_with'), null)
  const longer = items.length % count
  const size = Math.floor(items.length / count)
  const rows = Array.from({ length: count }, (_, index) => {
    const start = index * size + Math.min(index, longer)
    const row = items.slice(start, start + size + (index < longer ? 1 : 0))
    return listValue(fill !== null && index >= longer ? [...row, fill] : row)
  })
  return listValue(rows)
}

const groupby = onElements((items, args, meter) => {
  const read = new ArgumentReader('groupby', args, ['attribute', 'default', 'case_sensitive'])
  const isCaseSensitive = isTruthy(read.optional('case_sensitive') ?? false)
  const keyed = items.map((item) => {
    const value = attributeAt(item, read.required('attribute'), meter)
    return { item, key: isUndefined(value) ? valueOr(read.optional('default'), value) : value }
  })
  const folded = (key: Value): Value => foldCase(key, isCaseSensitive, meter)
  keyed.sort((a, b) => compareValues(folded(a.key), folded(b.key), meter))
  const groups: { key: Value; items: Value[] }[] = []
  for (const { item, key } of keyed) {
    const group = groups.at(-1)
    if (group !== undefined && areEqual(folded(group.key), folded(key), meter)) group.items.push(item)
    else groups.push({ key, items: [item] })
  }
  return listValue(groups.map(({ key, items: members }) => tupleValue([key, listValue(members)])))
})

/** `map` by attribute or by the name of a filter. */
export function mapElements(value: Value, { positional, keyword }: CallArguments, meter: WorkMeter, apply: FilterByName): Value {
  const items = elementsOf(value, meter)
  meter.spend(items.length)
  const attribute = keyword.get('attribute')
  if (attribute !== undefined) {
    const fallback = keyword.get('default')
    return listValue(
      items.map((item) => {
        const found = attributeAt(item, attribute, meter)
        return isUndefined(found) && fallback !== undefined ? fallback : found
      }),
    )
  }
  const [name, ...args] = positional
  if (!isText(name)) throw evaluationError('map without an attribute or a filter', 'one of them')
  return listValue(items.map((item) => apply(name.text, item, { positional: args, keyword }, meter)))
}

export type FilterByName = (name: string, value: Value, args: CallArguments, meter: WorkMeter) => Value

export const SEQUENCE_FILTERS: readonly (readonly [string, Filter])[] = [
  ['list', onElements((items) => listValue(items))],
  ['first', first],
  ['last', last],
  ['join', join],
  ['reverse', reverse],
  ['sort', sort],
  ['dictsort', dictsort],
  ['unique', unique],
  ['min', extreme('min', 1)],
  ['max', extreme('max', -1)],
  ['sum', sum],
  ['select', selecting(false, true)],
  ['reject', selecting(false, false)],
  ['selectattr', selecting(true, true)],
  ['rejectattr', selecting(true, false)],
  ['batch', batches],
  ['slice', slices],
  ['groupby', groupby],
]
