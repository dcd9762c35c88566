/** The keywords of JSON Schema (2020-12) that are kept, those that say nothing about values, and the refusal of all others. */
import { ConstraintError } from '../errors.ts'
import { isList, isObject, type JsonObject, type JsonValue } from './json-value.ts'

/** A schema: an object of keywords, or whether anything is valid. */
export type Schema = JsonObject | boolean

export type JsonType = 'string' | 'number' | 'integer' | 'object' | 'array' | 'boolean' | 'null'

const TYPES: ReadonlySet<JsonValue> = new Set<JsonType>(['string', 'number', 'integer', 'object', 'array', 'boolean', 'null'])

/** They describe, identify, or hold schemas for `$ref`. */
// biome-ignore format: a list of words
const ANNOTATIONS: ReadonlySet<string> = new Set([
  'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$schema', '$id', '$comment', '$defs', 'definitions',
  'contentMediaType', 'contentEncoding',
])

const isSchema = (value: JsonValue) => typeof value === 'boolean' || isObject(value)
const isSchemaList = (value: JsonValue) => isList(value) && value.every(isSchema)
const isText = (value: JsonValue) => typeof value === 'string'
const isNumber = (value: JsonValue) => typeof value === 'number'
const isCount = (value: JsonValue) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** What the value of each keyword has to be, and the type of the values that it speaks about. */
const KEYWORDS: ReadonlyMap<string, { readonly holds: (value: JsonValue) => boolean; readonly expected: string; readonly of?: JsonType }> =
  new Map(
    Object.entries({
      $ref: {
        holds: (value: JsonValue) => typeof value === 'string' && value.startsWith('#'),
        expected: 'a pointer into the same schema, e.g. "#/$defs/name"',
      },
      allOf: { holds: isSchemaList, expected: 'a list of schemas' },
      anyOf: { holds: isSchemaList, expected: 'a list of schemas' },
      oneOf: { holds: isSchemaList, expected: 'a list of schemas' },
      enum: { holds: isList, expected: 'a list of values' },
      const: { holds: () => true, expected: 'a value' },
      type: {
        holds: (value: JsonValue) => TYPES.has(value) || (isList(value) && value.every((each) => TYPES.has(each))),
        expected: `one of ${[...TYPES].join(', ')}, or a list of them`,
      },
      minLength: { holds: isCount, expected: 'a whole number >= 0', of: 'string' as const },
      maxLength: { holds: isCount, expected: 'a whole number >= 0', of: 'string' as const },
      pattern: { holds: isText, expected: 'a regular expression', of: 'string' as const },
      format: { holds: isText, expected: 'the name of a format', of: 'string' as const },
      minimum: { holds: isNumber, expected: 'a number', of: 'number' as const },
      maximum: { holds: isNumber, expected: 'a number', of: 'number' as const },
      exclusiveMinimum: { holds: isNumber, expected: 'a number', of: 'number' as const },
      exclusiveMaximum: { holds: isNumber, expected: 'a number', of: 'number' as const },
      multipleOf: {
        holds: (value: JsonValue) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1000,
        expected: 'a whole number from 1 to 1000',
        of: 'number' as const,
      },
      items: { holds: isSchema, expected: 'a schema (prefixItems has the list of them)', of: 'array' as const },
      prefixItems: { holds: isSchemaList, expected: 'a list of schemas', of: 'array' as const },
      minItems: { holds: isCount, expected: 'a whole number >= 0', of: 'array' as const },
      maxItems: { holds: isCount, expected: 'a whole number >= 0', of: 'array' as const },
      uniqueItems: {
        holds: (value: JsonValue) => value === false,
        expected: 'no such keyword: equal items cannot be told apart',
        of: 'array' as const,
      },
      unevaluatedItems: { holds: (value: JsonValue) => typeof value === 'boolean', expected: 'true or false', of: 'array' as const },
      properties: {
        holds: (value: JsonValue) => isObject(value) && [...value.values()].every(isSchema),
        expected: 'an object of schemas',
        of: 'object' as const,
      },
      required: { holds: (value: JsonValue) => isList(value) && value.every(isText), expected: 'a list of names', of: 'object' as const },
      additionalProperties: { holds: isSchema, expected: 'a schema', of: 'object' as const },
      propertyNames: { holds: isSchema, expected: 'a schema', of: 'object' as const },
      minProperties: { holds: isCount, expected: 'a whole number >= 0', of: 'object' as const },
      maxProperties: { holds: isCount, expected: 'a whole number >= 0', of: 'object' as const },
      unevaluatedProperties: { holds: (value: JsonValue) => typeof value === 'boolean', expected: 'true or false', of: 'object' as const },
    }),
  )

/** @throws {ConstraintError} for a keyword that is not known, or whose value is of no use; it names the place */
export function checkKeywords(schema: JsonObject, place: string): void {
  for (const [keyword, value] of schema) {
    if (ANNOTATIONS.has(keyword)) {
      if (keyword === '$id' && place !== '#') {
        throw new ConstraintError({
          field: `schema ${place}/$id`,
          found: 'a schema with a name of its own',
          expected: 'one at the root only',
        })
      }
      continue
    }
    const known = KEYWORDS.get(keyword)
    if (known === undefined) {
      const expected = `a keyword that can be kept: ${[...KEYWORDS.keys()].join(', ')}`
      throw new ConstraintError({ field: `schema ${place}/${keyword}`, found: 'an unsupported keyword', expected })
    }
    if (!known.holds(value)) {
      throw new ConstraintError({ field: `schema ${place}/${keyword}`, found: shortText(value), expected: known.expected })
    }
  }
}

/** The keywords that say something about values. */
export function assertionsOf(schema: JsonObject): Map<string, JsonValue> {
  return new Map([...schema].filter(([keyword]) => !ANNOTATIONS.has(keyword)))
}

/** The types that values may have: as `type` says, or as the keywords speak about, or any. */
export function typesOf(schema: JsonObject): readonly JsonType[] {
  const given = schema.get('type')
  if (given !== undefined) return (isList(given) ? given : [given]).filter(isJsonType)
  const implied = new Set([...schema.keys()].flatMap((keyword) => KEYWORDS.get(keyword)?.of ?? []))
  return implied.size > 0 ? [...implied] : ['string', 'number', 'object', 'array', 'boolean', 'null']
}

export function jsonTypeOf(value: JsonValue): JsonType {
  if (value === null) return 'null'
  if (isList(value)) return 'array'
  if (isObject(value)) return 'object'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value === 'string' ? 'string' : 'boolean'
}

/** Whether values of one type may be of the other. */
export const fitsType = (type: JsonType, wanted: JsonType): boolean => type === wanted || (type === 'integer' && wanted === 'number')

/** The values of `enum` and `const`, undefined where neither is. */
export function listedValues(schema: JsonObject): readonly JsonValue[] | undefined {
  const list = schema.get('enum')
  return isList(list) ? list : schema.has('const') ? [schema.get('const') ?? null] : undefined
}

export function shortText(value: JsonValue): string {
  const text = isObject(value) ? 'an object' : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

export function schemaOf(value: JsonValue | undefined): Schema | undefined {
  return typeof value === 'boolean' || isObject(value) ? value : undefined
}

export function schemasOf(value: JsonValue | undefined): readonly Schema[] {
  return isList(value) ? value.filter((each): each is Schema => typeof each === 'boolean' || isObject(each)) : []
}

/** Names and schemas of `properties`. */
export function propertiesOf(schema: JsonObject): Map<string, Schema> {
  const properties = schema.get('properties')
  if (!isObject(properties)) return new Map()
  return new Map(
    [...properties].flatMap(([name, value]) => (typeof value === 'boolean' || isObject(value) ? [[name, value] as const] : [])),
  )
}

export function namesOf(value: JsonValue | undefined): readonly string[] {
  return isList(value) ? value.filter((each) => typeof each === 'string') : []
}

function isJsonType(value: JsonValue): value is JsonType {
  return TYPES.has(value)
}
