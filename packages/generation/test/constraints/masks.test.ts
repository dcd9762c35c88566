/** Masks against lists of all texts: a token is allowed exactly where some text goes on with it. */
import { choiceConstraint, grammarConstraint, jsonSchemaConstraint, regexConstraint } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { accepts, differences, vocabularyOf } from './small-vocabulary.ts'

const TOKENS = [
  'yes',
  'ye',
  's',
  'no',
  ' no',
  '{"',
  '"a"',
  '":',
  ':t',
  'true',
  'tr',
  'ue',
  'fal',
  'false}',
  '1,',
  ',2',
  '[1',
  ']',
  '""',
  '"b":',
  'ä',
  'aa',
  'aaa',
  '}}',
]
const COMPACT = { whitespace: 'none' } as const

test('choices, one the beginning of another', () => {
  const texts = ['yes', 'yes no', 'no', 'nö', '']
  expect(differences(choiceConstraint(texts), texts, TOKENS)).toEqual([])
})

test.each([
  [{ type: 'boolean' }, ['true', 'false']],
  [{ enum: ['yes', 1, null, { a: [true] }] }, ['"yes"', '1', 'null', '{"a":[true]}']],
  [
    { type: 'object', properties: { a: { type: 'boolean' }, b: { const: 1 } }, required: ['b'] },
    ['{"a":true,"b":1}', '{"a":false,"b":1}', '{"b":1}'],
  ],
  [{ type: 'object', properties: { a: { const: 1 }, b: { const: 2 } } }, ['{}', '{"a":1}', '{"b":2}', '{"a":1,"b":2}']],
  [{ type: 'array', items: { enum: [1, 2] }, minItems: 1, maxItems: 2 }, ['[1]', '[2]', '[1,1]', '[1,2]', '[2,1]', '[2,2]']],
  [{ prefixItems: [{ const: 1 }, { const: 'a' }], minItems: 1 }, ['[1]', '[1,"a"]']],
  [{ prefixItems: [{ const: 1 }], items: { const: 2 }, maxItems: 3 }, ['[1]', '[1,2]', '[1,2,2]']],
  [{ type: 'integer', minimum: 9, maximum: 12 }, ['9', '10', '11', '12']],
  [{ type: 'string', pattern: '^a{1,3}$', minLength: 2 }, ['"aa"', '"aaa"']],
  [{ anyOf: [{ const: 'a' }, { type: 'null' }] }, ['"a"', 'null']],
  [{ $ref: '#/$defs/x', $defs: { x: { const: 'ä' } } }, ['"ä"']],
  [{ type: 'object', properties: { a: false, b: { const: 1 } } }, ['{}', '{"b":1}']],
  [
    { type: 'object', additionalProperties: { const: 1 }, propertyNames: { enum: ['a', 'b'] }, maxProperties: 1 },
    ['{}', '{"a":1}', '{"b":1}'],
  ],
])('the schema %j', (schema, texts) => {
  expect(differences(jsonSchemaConstraint(schema, COMPACT), texts, TOKENS)).toEqual([])
})

test('space where JSON allows it, and never without an end', () => {
  const object = jsonSchemaConstraint({ type: 'object', properties: { a: { const: 1 } }, required: ['a'] })
  for (const text of ['{"a":1}', '{ "a": 1 }', '{\n  "a": 1\n}']) expect(accepts(object, text), text).toBe(true)
  for (const text of ['{  "a":1}', '{\n\n"a":1}', '{"a" :1}', '{"a":\n1}', ' {"a":1}', '{"a":1} '])
    expect(accepts(object, text), text).toBe(false)
})

test('a grammar that nests', () => {
  const constraint = grammarConstraint('root ::= "a" root "b" | "c"')
  const texts = ['c', 'acb', 'aacbb', 'aaacbbb']
  for (const text of texts) expect(accepts(constraint, text)).toBe(true)
  for (const text of ['', 'ac', 'acbb', 'aacb', 'b']) expect(accepts(constraint, text)).toBe(false)
})

test('tokens that end in the middle of a character are allowed, and only what completes it may follow', () => {
  const texts = ['ä', 'ö', '日']
  expect(differences(regexConstraint('[äö日]'), texts, ['ä', 'äö'])).toEqual([])
})

test('the space that a first token drops is not part of the output, a later one is', () => {
  const { vocabulary } = vocabularyOf([' yes', 'yes', ' no'], { dropsFirstSpace: true })
  const state = choiceConstraint(['yes no', 'yes']).follow(vocabulary)
  expect([0, 1, 2].map((token) => state.allows(token))).toEqual([true, true, false])
  state.push(0)
  expect([0, 1, 2].map((token) => state.allows(token))).toEqual([false, false, true])
  expect(state.mayEnd).toBe(true)
})

test('a state that is forked, pushed and popped is what it was', () => {
  const { vocabulary, stop } = vocabularyOf([])
  const state = choiceConstraint(['ab', 'ac']).follow(vocabulary)
  const [a = 0, b = 0, c = 0] = Array.from('abc', (letter) => letter.charCodeAt(0))
  state.push(a)
  const fork = state.fork()
  fork.push(b)
  expect([fork.mayEnd, fork.allows(stop), state.mayEnd, state.allows(c)]).toEqual([true, true, false, true])
  fork.push(stop)
  expect(fork.allows(b) || fork.allows(stop)).toBe(false)
  fork.pop()
  fork.pop()
  expect(fork.allows(c)).toBe(true)
  state.push(stop)
  expect([a, b, c, stop].some((token) => state.allows(token))).toBe(false)
})

test('a vocabulary that cannot spell a beginning is refused', () => {
  const vocabulary = {
    size: 2,
    bytesOf: (token: number) => (token === 0 ? Uint8Array.of(0x7a) : undefined),
    stopTokens: new Set([1]),
    dropsFirstSpace: false,
  }
  expect(() => choiceConstraint(['yes']).follow(vocabulary)).toThrow(/without a token to begin with/)
})
