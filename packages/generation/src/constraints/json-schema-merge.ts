/** Schemas that hold together (`allOf`, keywords beside `$ref` or `anyOf`) as one schema, and whether two can hold together at all (`oneOf`). */
import { ConstraintError } from '../errors.ts'
import {
  assertionsOf,
  fitsType,
  type JsonType,
  jsonTypeOf,
  listedValues,
  namesOf,
  numberOf,
  propertiesOf,
  type Schema,
  schemaOf,
  schemasOf,
  typesOf,
} from './json-schema-keywords.ts'
import { canonicalText, type JsonObject, type JsonValue } from './json-value.ts'

/** Of two `anyOf` that hold together every pair is an option. */
const MOST_OPTIONS = 1000

const together = (a: Schema, b: Schema): JsonObject => new Map<string, JsonValue>([['allOf', [a, b]]])

/**
 * One schema for values that are valid by both. Neither has `$ref` or `allOf`; those inside are left to be merged when they are reached.
 *
 * @param place  for errors
 * @throws {ConstraintError} for keywords that cannot be joined
 */
export function mergeSchemas(a: JsonObject, b: JsonObject, place: string): Schema {
  const merged = assertionsOf(a)
  for (const [keyword, value] of assertionsOf(b)) {
    const other = merged.get(keyword)
    if (other === undefined || canonicalText(other) === canonicalText(value)) merged.set(keyword, value)
    else merged.set(keyword, mergeKeyword(keyword, other, value, place))
  }
  const types = commonTypes(a, b)
  if (types.length === 0) return false
  if (a.has('type') || b.has('type')) merged.set('type', types)
  const values = commonValues(a, b)
  if (values !== undefined) {
    merged.delete('const')
    merged.set('enum', values)
  }
  if (a.has('properties') || b.has('properties')) merged.set('properties', mergeProperties(a, b))
  const lists = [a, b].filter((each) => each.has('prefixItems'))
  if (
    lists.length > 0 &&
    a.has('prefixItems') !== b.has('prefixItems') &&
    [a, b].some((each) => !each.has('prefixItems') && each.has('items'))
  ) {
    return refuse('prefixItems', place)
  }
  return merged
}

function mergeKeyword(keyword: string, a: JsonValue, b: JsonValue, place: string): JsonValue {
  switch (keyword) {
    case 'minLength':
    case 'minItems':
    case 'minProperties':
    case 'minimum':
    case 'exclusiveMinimum':
      return Math.max(numberOf(a) ?? 0, numberOf(b) ?? 0)
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
    case 'maximum':
    case 'exclusiveMaximum':
      return Math.min(numberOf(a) ?? 0, numberOf(b) ?? 0)
    case 'required':
      return [...new Set([...namesOf(a), ...namesOf(b)])]
    case 'items':
    case 'additionalProperties':
    case 'propertyNames':
      return together(schemaOf(a) ?? true, schemaOf(b) ?? true)
    case 'anyOf':
      if (schemasOf(a).length * schemasOf(b).length > MOST_OPTIONS) {
        const found = `${schemasOf(a).length * schemasOf(b).length} ways to choose from lists that hold together`
        throw new ConstraintError({ field: `schema ${place}/anyOf`, found, expected: `at most ${MOST_OPTIONS}` })
      }
      return schemasOf(a).flatMap((one) => schemasOf(b).map((other) => together(one, other)))
    case 'unevaluatedItems':
    case 'unevaluatedProperties':
      return false
    case 'type':
    case 'enum':
    case 'const':
    case 'properties':
      return a
    default:
      return refuse(keyword, place)
  }
}

function refuse(keyword: string, place: string): never {
  throw new ConstraintError({ field: `schema ${place}/${keyword}`, found: 'two of them that hold together', expected: 'one' })
}

/** What one schema says about properties that it does not name holds for those that only the other names. */
function mergeProperties(a: JsonObject, b: JsonObject): JsonObject {
  const ofA = propertiesOf(a)
  const ofB = propertiesOf(b)
  const properties = new Map<string, JsonValue>()
  for (const name of new Set([...ofA.keys(), ...ofB.keys()])) {
    const one = ofA.get(name) ?? schemaOf(a.get('additionalProperties')) ?? true
    const other = ofB.get(name) ?? schemaOf(b.get('additionalProperties')) ?? true
    properties.set(name, one === true ? other : other === true ? one : together(one, other))
  }
  return properties
}

function commonTypes(a: JsonObject, b: JsonObject): JsonType[] {
  if (!a.has('type') || !b.has('type')) return [...typesOf(a.has('type') ? a : b)]
  const ofB = typesOf(b)
  const common = typesOf(a).flatMap((type) =>
    ofB.flatMap((other) => (fitsType(type, other) ? [type] : fitsType(other, type) ? [other] : [])),
  )
  return [...new Set(common)]
}

function commonValues(a: JsonObject, b: JsonObject): JsonValue[] | undefined {
  const ofA = listedValues(a)
  const ofB = listedValues(b)
  if (ofA === undefined || ofB === undefined) return undefined
  const texts = new Set(ofB.map(canonicalText))
  return ofA.filter((value) => texts.has(canonicalText(value)))
}

/**
 * Whether no value is valid by both, as far as types, listed values and required properties show.
 *
 * @param resolve  follows `$ref`
 */
export function areDisjoint(a: Schema, b: Schema, resolve: (schema: Schema) => Schema, depth = 0): boolean {
  const one = resolve(a)
  const other = resolve(b)
  if (one === false || other === false) return true
  if (one === true || other === true || depth > 20) return false
  for (const [options, rest] of [
    [one, other],
    [other, one],
  ] as const) {
    for (const keyword of ['anyOf', 'oneOf']) {
      if (options.has(keyword)) return schemasOf(options.get(keyword)).every((option) => areDisjoint(option, rest, resolve, depth + 1))
    }
  }
  const values = listedValues(one)
  const otherValues = listedValues(other)
  if (values !== undefined && otherValues !== undefined) {
    const texts = new Set(otherValues.map(canonicalText))
    return values.every((value) => !texts.has(canonicalText(value)))
  }
  const types = values?.map(jsonTypeOf) ?? typesOf(one)
  const otherTypes = otherValues?.map(jsonTypeOf) ?? typesOf(other)
  // without a type, or with it in doubt, everything may overlap
  const isTyped = (schema: JsonObject) => schema.has('type') || listedValues(schema) !== undefined
  if (!isTyped(one) || !isTyped(other)) return false
  if (!types.some((type) => otherTypes.some((each) => fitsType(type, each) || fitsType(each, type)))) return true
  const areObjects = [...types, ...otherTypes].every((type) => type === 'object')
  return areObjects && (differInProperty(one, other, resolve, depth) || differInProperty(other, one, resolve, depth))
}

function differInProperty(a: JsonObject, b: JsonObject, resolve: (schema: Schema) => Schema, depth: number): boolean {
  const ofA = propertiesOf(a)
  const ofB = propertiesOf(b)
  const requiredByB = new Set(namesOf(b.get('required')))
  return namesOf(a.get('required')).some((name) => {
    const own = ofA.get(name)
    const other = ofB.get(name) ?? schemaOf(b.get('additionalProperties'))
    if (other === false) return true
    return own !== undefined && other !== undefined && requiredByB.has(name) && areDisjoint(own, other, resolve, depth + 1)
  })
}
