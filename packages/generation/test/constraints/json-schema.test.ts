/** Outputs of random tokens under a schema, judged by an independent validator; and what is refused, with its place. */
import { jsonConstraint, jsonSchemaConstraint } from '@foretoken/generation'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { accepts, randomOutput, uniformFrom, vocabularyOf } from './small-vocabulary.ts'

const TOKENS = vocabularyOf([
  '{"',
  '":',
  '", "',
  '"}',
  ': ',
  ', ',
  'true',
  'null',
  '\\"',
  '\\u00',
  '日',
  '12',
  '-0',
  '[]',
  '{}',
  '\n  ',
  'name',
  '2024-',
  '.5',
])

const PERSON = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 12 },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    email: { type: 'string', format: 'email' },
  },
  required: ['name', 'age'],
}
const TREE = {
  $defs: {
    node: {
      type: 'object',
      properties: { value: { type: 'number' }, children: { type: 'array', items: { $ref: '#/$defs/node' }, maxItems: 2 } },
      required: ['value'],
    },
  },
  $ref: '#/$defs/node',
}
const SHAPE = {
  oneOf: [
    {
      type: 'object',
      properties: { kind: { const: 'circle' }, radius: { type: 'number', exclusiveMinimum: 0 } },
      required: ['kind', 'radius'],
    },
    {
      type: 'object',
      properties: { kind: { const: 'square' }, side: { type: 'number', minimum: 1, maximum: 9.75 } },
      required: ['kind', 'side'],
    },
    { type: 'null' },
  ],
}

/** As Zod 4 writes it: closed objects, formats with their patterns, safe integers, records, tuples. */
const ZOD = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    id: {
      type: 'string',
      format: 'uuid',
      pattern:
        '^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000)$',
    },
    mail: {
      type: 'string',
      format: 'email',
      pattern: "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
    },
    count: { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
    scores: { type: 'object', propertyNames: { type: 'string' }, additionalProperties: { type: 'number' } },
    pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
    either: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    default: { default: 3, type: 'number' },
  },
  required: ['id', 'mail', 'count', 'scores', 'pair', 'either', 'default'],
  additionalProperties: false,
}

const SCHEMAS: readonly (readonly [string, object | boolean])[] = [
  ['anything', true],
  ['anything, by an empty schema', {}],
  ['a person', PERSON],
  ['a tree of itself', TREE],
  ['shapes told apart by a constant', SHAPE],
  ['what Zod writes', ZOD],
  ['several types', { type: ['integer', 'null', 'array'] }],
  ['an open object', { type: 'object' }],
  [
    'an object with further properties',
    {
      type: 'object',
      properties: { a: { type: 'null' }, ab: { type: 'null' } },
      required: ['a'],
      additionalProperties: { type: 'boolean' },
    },
  ],
  [
    'keys by a pattern',
    { type: 'object', propertyNames: { pattern: '^k[0-9]{1,2}$' }, additionalProperties: { type: 'integer' }, maxProperties: 4 },
  ],
  ['a required property without a schema', { type: 'object', properties: { a: { type: 'null' } }, required: ['b'] }],
  [
    'a property named __proto__',
    JSON.parse('{"type":"object","properties":{"__proto__":{"type":"integer"},"constructor":{"type":"null"}},"required":["__proto__"]}'),
  ],
  [
    'keys with quotes and line ends',
    {
      type: 'object',
      properties: { 'a"b': { type: 'null' }, 'c\nd': { type: 'null' }, ä日: { type: 'null' } },
      required: ['a"b', 'c\nd', 'ä日'],
    },
  ],
  [
    'lists in lists',
    { type: 'array', minItems: 1, maxItems: 3, items: { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 2 } },
  ],
  ['a tuple with a rest', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: { type: 'null' }, maxItems: 4 }],
  ['a tuple of which some is there', { type: 'array', prefixItems: [{ const: 1 }, { const: 2 }, { const: 3 }], minItems: 1, items: false }],
  ['lengths of strings with escapes and characters beyond 16 bits', { type: 'string', minLength: 3, maxLength: 5 }],
  ['a pattern that is not anchored', { type: 'string', pattern: '[0-9]"?[a-c]', maxLength: 9 }],
  ['a pattern of signs that JSON escapes', { type: 'string', pattern: '^["\\\\\\n\\u0001]{2}$' }],
  ['a pattern and a length', { type: 'string', pattern: '^[a-z]+( [a-z]+)*$', minLength: 5, maxLength: 9 }],
  [
    'each format',
    {
      type: 'object',
      properties: Object.fromEntries(
        ['date', 'time', 'date-time', 'uuid', 'email', 'hostname', 'ipv4', 'ipv6', 'uri'].map((format) => [
          format,
          { type: 'string', format },
        ]),
      ),
      required: ['date', 'time', 'date-time', 'uuid', 'email', 'hostname', 'ipv4', 'ipv6', 'uri'],
    },
  ],
  ['numbers within bounds', { type: 'array', items: { type: 'number', minimum: -1.25, exclusiveMaximum: 3 }, minItems: 4, maxItems: 4 }],
  ['multiples', { type: 'array', items: { type: 'integer', multipleOf: 12, minimum: -500 }, minItems: 3, maxItems: 3 }],
  ['listed values', { enum: [1, 'one', { one: 1, list: [1, 'x'] }, null, [], {}] }],
  ['listed values of a type', { type: 'string', enum: ['a', 'b', 3] }],
  [
    'allOf',
    {
      allOf: [PERSON, { type: 'object', properties: { age: { minimum: 18 }, city: { type: 'string', maxLength: 3 } }, required: ['city'] }],
    },
  ],
  [
    'allOf of a closed object',
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer' } }, additionalProperties: false },
        { properties: { a: { minimum: 5 }, b: { type: 'null' } } },
      ],
    },
  ],
  [
    'keywords beside anyOf',
    {
      type: 'object',
      properties: { a: { type: 'integer' } },
      required: ['a'],
      anyOf: [{ properties: { b: { const: 1 } }, required: ['b'] }, { properties: { a: { maximum: 3 } } }],
    },
  ],
  ['keywords beside $ref', { $defs: { n: { type: 'number', minimum: 0 } }, $ref: '#/$defs/n', maximum: 1, title: 'a share' }],
  [
    'a pointer with signs',
    { $defs: { 'a/b~c %': { type: 'null' } }, type: 'array', items: { $ref: '#/$defs/a~1b~0c%20%25' }, maxItems: 1 },
  ],
  [
    'a schema that refers to itself in allOf',
    { type: 'object', properties: { next: { allOf: [{ $ref: '#' }, { required: ['end'] }] }, end: { type: 'boolean' } } },
  ],
  [
    'oneOf by type and by closed objects',
    {
      oneOf: [
        { type: 'integer' },
        { type: 'string' },
        { type: 'object', properties: { a: { type: 'null' } }, required: ['a'], additionalProperties: false },
        { type: 'object', properties: { b: { type: 'null' } }, required: ['b'], additionalProperties: false },
      ],
    },
  ],
]

describe.each([
  ['flexible', { whitespace: 'flexible' }],
  ['none', { whitespace: 'none' }],
] as const)('white space %s', (_, options) => {
  test.each(SCHEMAS)('%s: what comes out is valid', (_name, schema) => {
    const ajv = new Ajv2020({ strict: false, allErrors: true, ownProperties: true })
    addFormats.default(ajv)
    const validate = ajv.compile(schema)
    const constraint = jsonSchemaConstraint(schema, options)
    for (let seed = 0; seed < 25; seed++) {
      const output = randomOutput(constraint, TOKENS, uniformFrom(seed * 37 + 1))
      expect(validate(JSON.parse(output)), `${output} ${JSON.stringify(validate.errors)}`).toBe(true)
    }
  })
})

test('any JSON is accepted as JSON writes it', () => {
  const value = { a: [1, -2.5, 1e21, true, false, null, 'ä"\\\n\u0001😀'], '': {}, b: [[], [[]]] }
  for (const constraint of [jsonConstraint(), jsonConstraint({ onlyObjects: true })]) {
    expect(accepts(constraint, JSON.stringify(value))).toBe(true)
    expect(accepts(constraint, JSON.stringify(value, null, 2))).toBe(true)
    for (const broken of ['{', '{"a"}', '{"a":1,}', "{'a':1}", '{"a":1}}', '[1', '"\n"', '{"a":"\\x"}'])
      expect(accepts(constraint, broken), broken).toBe(false)
  }
  expect(accepts(jsonConstraint({ onlyObjects: true }), '[]')).toBe(false)
})

test('thousands of optional properties, and hundreds of levels, are read', () => {
  const wide = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`p${i}`, { type: 'null' }]))
  expect(accepts(jsonSchemaConstraint({ type: 'object', properties: wide }), '{"p2":null,"p2999":null}')).toBe(true)
  const deep = Array.from({ length: 200 }).reduce<object>((items) => ({ type: 'array', items, minItems: 1 }), { type: 'null' })
  expect(accepts(jsonSchemaConstraint(deep), `${'['.repeat(200)}null${']'.repeat(200)}`)).toBe(true)
})

test('what it does not name is left out, unless the schema says otherwise', () => {
  const open = jsonSchemaConstraint({ ...PERSON, additionalProperties: true })
  const text = '{"name": "A", "age": 3, "x": [1]}'
  expect(accepts(jsonSchemaConstraint(PERSON), text)).toBe(false)
  expect(accepts(open, text)).toBe(true)
  expect(accepts(open, '{"name": "A", "age": 3, "age": 4}')).toBe(false)
  expect(accepts(open, '{"name": "A", "age": 3, "\\u0061ge": 4}')).toBe(false)
})

const nested = (depth: number): object => (depth === 0 ? {} : { items: nested(depth - 1) })
const circle: Record<string, unknown> = { type: 'object' }
circle.properties = { self: circle }

test.each<readonly [string, unknown, RegExp]>([
  ['a text', 'string', /schema #: found "string", expected a schema/],
  ['a list', [], /schema #: found \[\]/],
  ['nothing', null, /schema #: found null/],
  ['undefined', undefined, /found undefined, expected JSON/],
  ['a function', { type: () => 'string' }, /schema #\/type: found function/],
  ['an object that contains itself', circle, /schema #\/properties\/self: found an object that contains itself/],
  ['a thousand levels', nested(1000), /more than 500 levels/],
  ['not', { not: { type: 'null' } }, /schema #\/not: found an unsupported keyword/],
  ['if', { properties: { a: { if: true, else: false } } }, /schema #\/properties\/a\/if: found an unsupported keyword/],
  ['a keyword that does not exist', { items: { nullable: true } }, /schema #\/items\/nullable: found an unsupported keyword/],
  ['patternProperties', { $ref: '#/$defs/x', $defs: { x: { patternProperties: {} } } }, /schema #\/\$defs\/x\/patternProperties/],
  ['uniqueItems', { type: 'array', uniqueItems: true }, /schema #\/uniqueItems/],
  ['contains', { type: 'array', contains: true }, /schema #\/contains/],
  ['a list of items', { items: [{}] }, /schema #\/items: .*prefixItems/],
  ['a type that does not exist', { type: 'text' }, /schema #\/type: found "text"/],
  ['a negative length', { type: 'string', maxLength: -1 }, /schema #\/maxLength: found -1/],
  ['an exclusive bound of draft 4', { type: 'number', minimum: 1, exclusiveMinimum: true }, /schema #\/exclusiveMinimum: found true/],
  ['steps of a hundredth', { type: 'number', multipleOf: 0.01 }, /schema #\/multipleOf: found 0.01/],
  ['an unknown format', { type: 'string', format: 'phone' }, /schema #\/format: found "phone", expected one of date/],
  ['a pattern with a mistake', { type: 'string', pattern: '(' }, /schema #\/pattern: found/],
  ['a reference to nothing', { $ref: '#/$defs/x' }, /schema #\/\$ref: found "#\/\$defs\/x"/],
  ['a reference elsewhere', { $ref: 'https://example.org/x' }, /schema #\/\$ref: found/],
  [
    'references in a circle',
    { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    /references in a circle/,
  ],
  ['a schema that is all of itself', { allOf: [{ $ref: '#' }] }, /schemas that contain each other|nothing is valid by/],
  ['a schema that is any of itself', { anyOf: [{ $ref: '#' }] }, /begins with itself|nothing is valid by/],
  [
    'a list without values',
    { properties: { a: { enum: [] } }, required: ['a'] },
    /schema #\/properties\/a: found a schema that nothing is valid by/,
  ],
  ['listed values of another type', { enum: [1, 2], type: 'string' }, /nothing is valid by/],
  ['false', false, /schema #: found a schema that nothing is valid by/],
  [
    'a bound below another',
    { items: { type: 'integer', minimum: 3, maximum: 2 }, minItems: 1 },
    /schema #\/items: found a schema that nothing/,
  ],
  ['lengths that contradict each other', { type: 'string', minLength: 3, maxLength: 2 }, /nothing is valid by/],
  ['a pattern longer than the length', { type: 'string', pattern: '^abc$', maxLength: 2 }, /nothing is valid by/],
  ['a required property that is false', { properties: { a: false }, required: ['a'] }, /nothing is valid by/],
  ['a required property beyond closed ones', { properties: {}, required: ['b'], additionalProperties: false }, /nothing is valid by/],
  ['no end', { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, /nothing is valid by/],
  ['types that exclude each other', { allOf: [{ type: 'string' }, { type: 'null' }] }, /nothing is valid by/],
  [
    'oneOf that may overlap',
    { oneOf: [{ type: 'integer' }, { type: 'number' }] },
    /schema #\/oneOf: found schemas 0 and 1, which may both hold/,
  ],
  ['two patterns', { allOf: [{ pattern: 'a' }, { pattern: 'b' }] }, /pattern: found two of them that hold together/],
  ['enum with a length', { type: 'string', enum: ['a'], minLength: 1 }, /schema #\/minLength: found a keyword beside listed values/],
  ['a length of a million', { type: 'string', minLength: 1e6 }, /at most 10000/],
  ['more properties than can be told apart', { type: 'object', minProperties: 2 }, /schema #\/minProperties/],
  [
    'lists of options that multiply',
    { allOf: Array.from({ length: 14 }, (_, i) => ({ anyOf: [{ minimum: i }, { maximum: 100 - i }, { minimum: -i }] })), type: 'integer' },
    /ways to choose from lists that hold together/,
  ],
  ['a huge list', { enum: Array.from({ length: 300_000 }, (_, i) => i) }, /more than 200000 values/],
])('%s is refused with its place', (_name, schema, reason) => {
  expect(() => jsonSchemaConstraint(schema)).toThrow(
    expect.objectContaining({ code: 'constraint', message: expect.stringMatching(reason) }),
  )
})
