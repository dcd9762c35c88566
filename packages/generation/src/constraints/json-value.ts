/** A schema as it comes from outside, read into maps: any name is a key (`__proto__` too), nothing in it can run, and each part knows its place. */
import { ConstraintError } from '../errors.ts'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export type JsonObject = ReadonlyMap<string, JsonValue>

export interface ReadJson {
  readonly value: JsonValue
  /** The JSON pointer of each object, behind `#`. */
  readonly places: WeakMap<JsonObject, string>
}

const DEEPEST = 500
const MOST_VALUES = 200_000

/** @throws {ConstraintError} for what is no JSON (functions, cycles, NaN), or too large */
export function readJson(given: unknown): ReadJson {
  const places = new WeakMap<JsonObject, string>()
  const open = new Set<object>()
  let values = 0
  const refuse = (place: string, found: string, expected: string): never => {
    throw new ConstraintError({ field: `schema ${place}`, found, expected })
  }
  const read = (value: unknown, place: string, depth: number): JsonValue => {
    if (++values > MOST_VALUES) refuse(place, `more than ${MOST_VALUES} values`, 'a smaller schema')
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
    if (typeof value === 'number') return Number.isFinite(value) ? value : refuse(place, String(value), 'a finite number')
    if (typeof value !== 'object') return refuse(place, typeof value, 'JSON')
    if (open.has(value)) refuse(place, 'an object that contains itself', 'JSON, with $ref for what recurs')
    if (depth > DEEPEST) refuse(place, `more than ${DEEPEST} levels`, 'a schema that is less deep')
    open.add(value)
    const result = Array.isArray(value) ? value.map((each, i) => read(each, `${place}/${i}`, depth + 1)) : readObject(value, place, depth)
    open.delete(value)
    return result
  }
  const readObject = (value: object, place: string, depth: number): JsonObject => {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined)
    const result = new Map(entries.map(([key, each]) => [key, read(each, `${place}/${pointerPart(key)}`, depth + 1)]))
    places.set(result, place)
    return result
  }
  return { value: read(given, '#', 0), places }
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** JSON text with sorted keys: equal values have the same. */
export function canonicalText(value: JsonValue): string {
  if (isObject(value)) {
    const members = [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => `${JSON.stringify(key)}:${canonicalText(each)}`)
    return `{${members.join(',')}}`
  }
  return isList(value) ? `[${value.map(canonicalText).join(',')}]` : JSON.stringify(value)
}

/** What a JSON pointer behind `#` leads to. */
export function valueAt(root: JsonValue, pointer: string): JsonValue | undefined {
  let at: JsonValue | undefined = root
  for (const part of pointer.split('/').slice(1)) {
    const key = unescaped(part)
    at = isObject(at) ? at.get(key) : isList(at) && /^\d+$/.test(key) ? at[Number(key)] : undefined
  }
  return at
}

const pointerPart = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

function unescaped(part: string): string {
  let decoded = part
  try {
    decoded = decodeURIComponent(part)
  } catch {
    // a per cent sign that stands for itself
  }
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~')
}
