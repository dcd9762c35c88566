/**
 * A JSON Schema as a grammar of the texts that are valid by it: not of all of them (properties come in the order of the schema, what it does not name
 * is left out, a key is spelled without escapes), but of nothing else. What cannot be kept is refused with its place.
 */
import { ConstraintError } from '../errors.ts'
import { byteAutomaton, DEAD } from './byte-automaton.ts'
import { choice, type Expression, type Grammar, NEVER, NOTHING, optional, repeat, rule, sequence, text } from './expression.ts'
import { grammarNetwork, UnfulfillableError } from './grammar-network.ts'
import { FORMATS } from './json-formats.ts'
import { isComparable, numberGrammar } from './json-numbers.ts'
import {
  checkKeywords,
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
  shortText,
  textOf,
  typesOf,
} from './json-schema-keywords.ts'
import { areDisjoint } from './json-schema-merge.ts'
import { createSchemaResolver } from './json-schema-resolver.ts'
import {
  ANY,
  ANY_ARRAY,
  ANY_INTEGER,
  ANY_NUMBER,
  ANY_OBJECT,
  arrayOf,
  CHARACTER,
  COMMA,
  escapedForJson,
  type JsonWhitespace,
  jsonRules,
  member,
  objectOf,
  PLAIN_CHARACTER,
  quoted,
  SPACE,
  stringLiteral,
} from './json-text.ts'
import { isList, isObject, type JsonObject, type JsonValue, readJson } from './json-value.ts'
import { languageProduct } from './language-product.ts'
import { parsePattern } from './regular-expression.ts'

/** A longer string or list is not written where the schema sets a limit above this, and cannot be asked for. */
const MOST_COUNTED = 10_000
const MOST_RULES = 50_000

/** @throws {ConstraintError} for what is no schema, a keyword that cannot be kept, or a schema that nothing is valid by */
export function jsonSchemaGrammar(given: unknown, whitespace: JsonWhitespace): Grammar {
  const { value, places } = readJson(given)
  const root = schemaOf(value)
  if (root === undefined)
    throw new ConstraintError({ field: 'schema #', found: shortText(value), expected: 'a schema: an object, true or false' })
  const compiler = createCompiler(root, places, whitespace)
  const grammar = compiler.grammarOf(root)
  refuseUnfulfillable(grammar, compiler.placeOfRule)
  return grammar
}

/** Names the innermost place that nothing is valid by. */
function refuseUnfulfillable(grammar: Grammar, placeOfRule: ReadonlyMap<string, string>): void {
  const isFulfillable = (root: string) => {
    try {
      grammarNetwork('', { root, rules: grammar.rules })
      return true
    } catch (error) {
      if (error instanceof UnfulfillableError) return false
      throw error
    }
  }
  if (isFulfillable(grammar.root)) return
  const empty = [...placeOfRule].filter(([name]) => grammar.rules.has(name) && !isFulfillable(name)).map(([, place]) => place)
  const place = empty.reduce((longest, each) => (each.length > longest.length ? each : longest), '#')
  throw new ConstraintError({
    field: `schema ${place}`,
    found: 'a schema that nothing is valid by',
    expected: 'one that some text fulfils',
  })
}

function createCompiler(root: Schema, places: WeakMap<JsonObject, string>, whitespace: JsonWhitespace) {
  const names = new Map<JsonObject, string>()
  const placeOfRule = new Map<string, string>()
  let parts = 0
  /** Of the grammar that is being made. */
  let rules = new Map<string, Expression>()
  let waiting: JsonObject[] = []

  const { placeOf, refuse, flat, mergeOf, restOf } = createSchemaResolver(root, places)
  const newName = (what: string) => `${what} ${parts++}`

  /** A grammar of its own, complete. */
  function grammarOf(schema: Schema): Grammar {
    const before = { rules, waiting }
    rules = jsonRules(whitespace)
    waiting = []
    try {
      rules.set('root', ruleOf(schema))
      const defined = new Set<JsonObject>()
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        if (defined.has(next)) continue
        defined.add(next)
        rules.set(nameOf(next), expressionOf(next))
        if (rules.size > MOST_RULES) refuse(next, '', `more than ${MOST_RULES} rules`, 'a smaller schema')
      }
      return { root: 'root', rules }
    } finally {
      ;({ rules, waiting } = before)
    }
  }

  function nameOf(schema: JsonObject): string {
    const name = names.get(schema) ?? newName(`schema ${placeOf(schema)},`)
    names.set(schema, name)
    placeOfRule.set(name, placeOf(schema))
    return name
  }

  function ruleOf(schema: Schema): Expression {
    if (schema === true) return ANY
    if (schema === false) return NEVER
    waiting.push(schema)
    return rule(nameOf(schema))
  }

  function expressionOf(schema: JsonObject): Expression {
    const at = flat(schema, 0)
    if (!isObject(at)) return ruleOf(at)
    checkKeywords(at, placeOf(at))
    for (const keyword of ['anyOf', 'oneOf']) {
      if (!at.has(keyword)) continue
      const options = schemasOf(at.get(keyword))
      if (keyword === 'oneOf') refuseOverlap(at, options)
      const rest = restOf(at, keyword)
      return choice(...options.map((option) => ruleOf(rest.size === 0 ? option : mergeOf(rest, option))))
    }
    const values = listedValues(at)
    return values === undefined ? choice(...typesOf(at).map((type) => ofType(type, at))) : ofValues(at, values)
  }

  function refuseOverlap(schema: JsonObject, options: readonly Schema[]): void {
    for (const [i, option] of options.entries()) {
      for (const [j, other] of options.slice(0, i).entries()) {
        if (areDisjoint(option, other, (each) => flat(each, 0))) continue
        const expected = 'anyOf, or schemas that differ in type or in the constant of a required property'
        refuse(schema, 'oneOf', `schemas ${j} and ${i}, which may both hold`, expected)
      }
    }
  }

  function ofValues(schema: JsonObject, values: readonly JsonValue[]): Expression {
    for (const keyword of schema.keys()) {
      if (!['enum', 'const', 'type'].includes(keyword))
        refuse(schema, keyword, 'a keyword beside listed values', 'enum or const alone, or with type')
    }
    if (schema.has('enum') && schema.has('const')) refuse(schema, 'enum', 'const as well', 'one of them')
    const types = schema.has('type') ? typesOf(schema) : undefined
    const valid = values.filter((value) => types === undefined || types.some((type) => fitsType(jsonTypeOf(value), type)))
    return choice(...valid.map(valueLiteral))
  }

  function ofType(type: JsonType, schema: JsonObject): Expression {
    switch (type) {
      case 'string':
        return stringOf(schema)
      case 'number':
      case 'integer':
        return numberExpression(schema, type === 'integer')
      case 'object':
        return objectExpression(schema)
      case 'array':
        return arrayExpression(schema)
      case 'boolean':
        return choice(text('true'), text('false'))
      case 'null':
        return text('null')
    }
  }

  function stringOf(schema: JsonObject): Expression {
    const least = countOf(schema, 'minLength') ?? 0
    const most = countOf(schema, 'maxLength')
    if (most !== undefined && least > most) return NEVER
    const languages: Grammar[] = []
    if (least > 0 || most !== undefined) languages.push(grammarFor(repeat(CHARACTER, least, limited(schema, 'minLength', least, most))))
    const excluded: Grammar[] = []
    for (const keyword of ['format', 'pattern']) {
      const given = textOf(schema.get(keyword))
      if (given === undefined) continue
      const pattern = keyword === 'pattern' ? given : FORMATS.get(given)
      if (pattern === undefined) return refuse(schema, 'format', JSON.stringify(given), `one of ${[...FORMATS.keys()].join(', ')}`)
      const { expression, ahead } = parsePattern(pattern, `schema ${placeOf(schema)}/${keyword}`)
      languages.push(grammarFor(escapedForJson(expression)))
      for (const each of ahead) (each.isForbidden ? excluded : languages).push(grammarFor(escapedForJson(each.expression)))
    }
    const [first = grammarFor(repeat(CHARACTER, 0)), ...others] = languages
    if (others.length === 0 && excluded.length === 0) return quoted(first.rules.get(first.root) ?? NEVER)
    const product = (a: Grammar, b: Grammar, keeps: 'both' | 'first') =>
      languageProduct(`schema ${placeOf(schema)}`, newName('string'), a, b, keeps)
    const both = others.reduce((sum, each) => product(sum, each, 'both'), first)
    return quoted(adopt(excluded.reduce((sum, each) => product(sum, each, 'first'), both)))
  }

  const grammarFor = (expression: Expression): Grammar => ({ root: 'root', rules: jsonRules(whitespace).set('root', expression) })

  /** Makes the rules of a finished grammar part of this one. */
  function adopt(grammar: Grammar): Expression {
    for (const [name, expression] of grammar.rules) rules.set(name, expression)
    return rule(grammar.root)
  }

  function countOf(schema: JsonObject, keyword: string): number | undefined {
    return numberOf(schema.get(keyword))
  }

  /** A limit that is counted: the schema's, or a lower one that is as good in practice. */
  function limited(schema: JsonObject, keyword: string, least: number, most = Number.POSITIVE_INFINITY): number {
    if (least > MOST_COUNTED) refuse(schema, keyword, `${least}`, `at most ${MOST_COUNTED}`)
    return most === Number.POSITIVE_INFINITY ? most : Math.min(most, MOST_COUNTED)
  }

  function numberExpression(schema: JsonObject, isIntegerType: boolean): Expression {
    const multipleOf = countOf(schema, 'multipleOf')
    const bounds = {
      ...tighter(countOf(schema, 'minimum'), countOf(schema, 'exclusiveMinimum'), 1),
      ...negatedBounds(tighter(countOf(schema, 'maximum'), countOf(schema, 'exclusiveMaximum'), -1)),
      isInteger: isIntegerType || multipleOf !== undefined,
      multipleOf: multipleOf ?? 1,
    }
    const { least, greatest } = bounds
    if (least === Number.NEGATIVE_INFINITY && greatest === Number.POSITIVE_INFINITY && bounds.multipleOf === 1) {
      return bounds.isInteger ? ANY_INTEGER : ANY_NUMBER
    }
    for (const bound of [least, greatest]) {
      if (!isComparable(bound)) refuse(schema, 'minimum, maximum', `${bound}`, 'bounds of at most 15 digits')
    }
    return adopt(numberGrammar(newName('number'), bounds))
  }

  function objectExpression(schema: JsonObject): Expression {
    const properties = propertiesOf(schema)
    const given = schemaOf(schema.get('additionalProperties'))
    const required = new Set(namesOf(schema.get('required')))
    for (const name of required) if (!properties.has(name)) properties.set(name, given ?? true)
    const isOpen = properties.size === 0 && !schema.has('properties')
    const additional = given ?? isOpen
    const nameSchema = schemaOf(schema.get('propertyNames'))
    const keys = nameSchema === undefined ? undefined : keyGrammar(nameSchema)
    if (isOpen && additional === true && keys === undefined && !schema.has('minProperties') && !schema.has('maxProperties'))
      return ANY_OBJECT
    checkCounts(schema, properties.size, required.size, additional !== false)
    const pairs = [...properties].map(([name, value]) => ({
      isRequired: required.has(name),
      pair: member(stringLiteral(name), keys === undefined || accepts(keys, JSON.stringify(name)) ? ruleOf(value) : NEVER),
    }))
    const further = additional === false ? undefined : member(additionalKey(schema, [...properties.keys()], keys), ruleOf(additional))
    const most = properties.size === 0 ? countOf(schema, 'maxProperties') : undefined
    return objectOf(members(pairs, further, most))
  }

  /** Properties in their order. For each place a rule for what begins with a property there or behind, and one for what follows one before it. */
  function members(
    pairs: readonly { readonly isRequired: boolean; readonly pair: Expression }[],
    further: Expression | undefined,
    most = Number.POSITIVE_INFINITY,
  ): Expression {
    const prefix = newName('members')
    const from = (i: number): Expression => rule(`${prefix}, from ${i}`)
    const behind = (i: number): Expression => rule(`${prefix}, behind ${i}`)
    const lastRequired = pairs.findLastIndex(({ isRequired }) => isRequired)
    for (let i = 0; i <= pairs.length; i++) {
      const place = pairs[i]
      const others = further === undefined || most === 0 ? NEVER : sequence(further, repeat(sequence(COMMA, further), 0, most - 1))
      const taken = place === undefined ? others : sequence(place.pair, behind(i + 1))
      rules.set(`${prefix}, from ${i}`, place === undefined || place.isRequired ? taken : choice(taken, from(i + 1)))
      const more = sequence(COMMA, from(i))
      rules.set(`${prefix}, behind ${i}`, i > lastRequired ? optional(more) : more)
    }
    const all = sequence(SPACE, from(0))
    return lastRequired < 0 ? optional(all) : all
  }

  function checkCounts(schema: JsonObject, named: number, required: number, isOpen: boolean): void {
    const least = countOf(schema, 'minProperties') ?? 0
    const most = countOf(schema, 'maxProperties') ?? Number.POSITIVE_INFINITY
    if (least > required)
      refuse(schema, 'minProperties', `${least}`, `at most ${required}, the required ones: equal keys cannot be told apart`)
    const isCounted = named === 0 || (!isOpen && named <= most) || most === Number.POSITIVE_INFINITY
    if (!isCounted) refuse(schema, 'maxProperties', `${most}`, 'no fewer than there are named, and no others, or none that is named')
  }

  /** Keys that are no property of their own. */
  function additionalKey(schema: JsonObject, taken: readonly string[], keys: Grammar | undefined): Expression {
    const plain = grammarFor(quoted(repeat(PLAIN_CHARACTER, 0)))
    if (taken.length === 0 && keys === undefined) return quoted(repeat(PLAIN_CHARACTER, 0))
    const place = `schema ${placeOf(schema)}`
    const valid = keys === undefined ? plain : languageProduct(place, newName('keys'), plain, keys, 'both')
    if (taken.length === 0) return adopt(valid)
    return adopt(languageProduct(place, newName('other keys'), valid, grammarFor(choice(...taken.map(stringLiteral))), 'first'))
  }

  const keyGrammar = (keys: Schema): Grammar => grammarOf(mergeOf(STRINGS, keys))

  function accepts(grammar: Grammar, key: string): boolean {
    try {
      const automaton = byteAutomaton('key', grammarNetwork('key', grammar))
      const end = new TextEncoder().encode(key).reduce((state, byte) => automaton.step(state, byte), automaton.start)
      return end !== DEAD && automaton.mayEnd(end)
    } catch (error) {
      if (error instanceof UnfulfillableError) return false
      throw error
    }
  }

  function arrayExpression(schema: JsonObject): Expression {
    const first = schemasOf(schema.get('prefixItems')).map(ruleOf)
    const items = schemaOf(schema.get('items')) ?? first.length === 0
    const given = countOf(schema, 'maxItems')
    const least = countOf(schema, 'minItems') ?? Math.min(first.length, given ?? first.length)
    if (items === true && first.length === 0 && least === 0 && given === undefined) return ANY_ARRAY
    const most = Math.min(limited(schema, 'minItems', least, given), items === false ? first.length : Number.POSITIVE_INFINITY)
    if (least > most) return NEVER
    const item = ruleOf(items)
    /** What follows so many items. */
    const after = (count: number): Expression => {
      if (count >= most) return NOTHING
      const before = count === 0 ? SPACE : COMMA
      const isNamed = count < first.length
      const rest = isNamed
        ? sequence(before, first[count] ?? NEVER, after(count + 1))
        : count === 0
          ? sequence(before, item, repeat(sequence(COMMA, item), Math.max(0, least - 1), most - 1))
          : repeat(sequence(before, item), Math.max(0, least - count), most - count)
      return count >= least && (isNamed || count === 0) ? optional(rest) : rest
    }
    return arrayOf(after(0))
  }

  return { grammarOf, placeOfRule }
}

const STRINGS: JsonObject = new Map([['type', 'string']])

/** The greater of two lower bounds; with sign -1, of two upper bounds negated. */
function tighter(inclusive: number | undefined, exclusive: number | undefined, sign: 1 | -1) {
  const one = inclusive === undefined ? Number.NEGATIVE_INFINITY : sign * inclusive
  const other = exclusive === undefined ? Number.NEGATIVE_INFINITY : sign * exclusive
  return { least: Math.max(one, other), excludesLeast: other >= one && exclusive !== undefined }
}

function negatedBounds({ least, excludesLeast }: { readonly least: number; readonly excludesLeast: boolean }) {
  return { greatest: -least, excludesGreatest: excludesLeast }
}

function valueLiteral(value: JsonValue): Expression {
  if (isList(value)) return arrayOf(value.length === 0 ? NOTHING : sequence(SPACE, joined(value.map(valueLiteral))))
  if (!isObject(value)) return text(JSON.stringify(value))
  const members = [...value].map(([key, each]) => member(stringLiteral(key), valueLiteral(each)))
  return objectOf(members.length === 0 ? NOTHING : sequence(SPACE, joined(members)))
}

const joined = (parts: readonly Expression[]): Expression => sequence(...parts.flatMap((part, i) => (i === 0 ? [part] : [COMMA, part])))
