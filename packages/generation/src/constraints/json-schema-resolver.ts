/**
 * Schemas without `$ref` and `allOf` at their top: references are followed, and what holds together is merged into one. The same schemas give the same
 * object each time, so that a schema which leads back to itself is found again instead of being merged for ever.
 */
import { ConstraintError } from '../errors.ts'
import { assertionsOf, checkKeywords, propertiesOf, type Schema, schemaOf, schemasOf, textOf } from './json-schema-keywords.ts'
import { mergeSchemas } from './json-schema-merge.ts'
import { isObject, type JsonObject, valueAt } from './json-value.ts'

export interface SchemaResolver {
  /** JSON pointer of a schema, or of what it was merged from. */
  placeOf(schema: Schema): string
  refuse(schema: Schema, keyword: string, found: string, expected: string): never
  /** Without `$ref` and `allOf` at its top. @param depth  0 */
  flat(schema: Schema, depth: number): Schema
  /** A schema for what is valid by both. */
  mergeOf(a: Schema, b: Schema): Schema
  /** The other keywords that say something about values. */
  restOf(schema: JsonObject, keyword: string): JsonObject
}

/** `$ref` and `allOf` that lead to each other. */
const DEEPEST_REFERENCE = 100

/** @param places  of the schemas; receives those of new ones */
export function createSchemaResolver(root: Schema, places: WeakMap<JsonObject, string>): SchemaResolver {
  const merged = new Map<JsonObject, Map<JsonObject, Schema>>()
  const withoutKeyword = new Map<JsonObject, Map<string, JsonObject>>()
  const placeOf = (schema: Schema) => (isObject(schema) ? (places.get(schema) ?? '#') : '#')
  const refuse = (schema: Schema, keyword: string, found: string, expected: string): never => {
    throw new ConstraintError({ field: `schema ${placeOf(schema)}/${keyword}`, found, expected })
  }

  function resolve(schema: Schema): Schema {
    let at = schema
    for (let depth = 0; isObject(at) && at.has('$ref'); depth++) {
      if (depth > DEEPEST_REFERENCE) return refuse(schema, '$ref', 'references in a circle', 'one that ends at a schema')
      checkKeywords(at, placeOf(at))
      const pointer = textOf(at.get('$ref')) ?? '#'
      const target = pointer === '#' ? root : schemaOf(valueAt(root, pointer))
      if (target === undefined || !/^#(\/|$)/.test(pointer)) {
        return refuse(at, '$ref', JSON.stringify(pointer), 'a pointer to a schema in the same document, e.g. "#/$defs/name"')
      }
      const rest = restOf(at, '$ref')
      at = rest.size === 0 ? target : mergeOf(rest, target)
    }
    return at
  }

  /** The other keywords; the same object each time. */
  function restOf(schema: JsonObject, keyword: string): JsonObject {
    const known = withoutKeyword.get(schema) ?? new Map<string, JsonObject>()
    withoutKeyword.set(schema, known)
    const made = known.get(keyword) ?? new Map([...assertionsOf(schema)].filter(([name]) => name !== keyword))
    known.set(keyword, made)
    places.set(made, placeOf(schema))
    return made
  }

  /** One schema of two; the same object each time, so that what recurs is found again. */
  function mergeOf(a: Schema, b: Schema, depth = 0): Schema {
    if (a === false || b === false) return false
    if (a === true) return b
    if (b === true) return a
    if (depth > DEEPEST_REFERENCE) return refuse(a, '', 'schemas that contain each other', 'allOf and $ref that end')
    const ofA = merged.get(a) ?? new Map<JsonObject, Schema>()
    merged.set(a, ofA)
    const known = ofA.get(b)
    if (known !== undefined) return known
    const one = flat(a, depth + 1)
    const other = flat(b, depth + 1)
    const result =
      one === false || other === false ? false : one === true ? other : other === true ? one : mergeSchemas(one, other, placeOf(b))
    if (isObject(result) && !places.has(result)) places.set(result, placeOf(b))
    if (isObject(result)) for (const child of childrenOf(result)) if (!places.has(child)) places.set(child, placeOf(b))
    ofA.set(b, result)
    return result
  }

  /** Without `$ref` and `allOf` at its top. */
  function flat(schema: Schema, depth: number): Schema {
    let at = resolve(schema)
    if (isObject(at)) checkKeywords(at, placeOf(at))
    for (let left = DEEPEST_REFERENCE; isObject(at) && at.has('allOf'); left--) {
      if (left === 0 || depth > DEEPEST_REFERENCE) return refuse(at, 'allOf', 'schemas that contain each other', 'allOf and $ref that end')
      const list = schemasOf(at.get('allOf'))
      at = list.reduce<Schema>((sum, each) => mergeOf(sum, each, depth + 1), restOf(at, 'allOf'))
      at = resolve(at)
    }
    return at
  }

  return { placeOf, refuse, flat, mergeOf, restOf }
}

function childrenOf(schema: JsonObject): JsonObject[] {
  const inside = [schema.get('items'), schema.get('additionalProperties'), schema.get('propertyNames'), ...propertiesOf(schema).values()]
  return [...inside, ...schemasOf(schema.get('anyOf'))].filter(isObject)
}
