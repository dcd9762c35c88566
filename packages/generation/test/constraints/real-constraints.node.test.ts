/** Constraints on SmolLM2-135M-Instruct: what it writes is valid at every temperature, also where it would like to write something else. */
import { join } from 'node:path'
import {
  choiceConstraint,
  type Drafter,
  generateText,
  jsonSchemaConstraint,
  outputVocabulary,
  regexConstraint,
} from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, expect, test } from 'vitest'

const folder = process.env.FORETOKEN_MODELS
const open = () => loadCausalLM(join(folder ?? '', 'smollm2-135m-instruct-q4_1.gguf'))
let lm: Awaited<ReturnType<typeof open>>
beforeAll(async () => {
  if (folder) lm = await open()
}, 120_000)
afterAll(async () => {
  await lm?.[Symbol.asyncDispose]()
})

const text = { type: 'string', maxLength: 30 }
const SCHEMAS: readonly (readonly [string, object])[] = [
  [
    'Describe Ada Lovelace.',
    {
      type: 'object',
      properties: { name: text, born: { type: 'integer', minimum: 1000, maximum: 2100 }, alive: { type: 'boolean' } },
      required: ['name', 'born', 'alive'],
    },
  ],
  ['List three colours.', { type: 'array', items: text, minItems: 3, maxItems: 3 }],
  [
    'Is the sky blue?',
    {
      type: 'object',
      properties: { answer: { enum: ['yes', 'no', 'unknown'] }, confidence: { type: 'number', minimum: 0, maximum: 1 } },
      required: ['answer', 'confidence'],
    },
  ],
  ['When was the first moon landing?', { type: 'object', properties: { date: { type: 'string', format: 'date' } }, required: ['date'] }],
  ['Give a point.', { type: 'array', prefixItems: [{ type: 'number' }, { type: 'number' }], items: false }],
  [
    'A family tree.',
    {
      $ref: '#/$defs/p',
      $defs: {
        p: {
          type: 'object',
          properties: { name: text, child: { anyOf: [{ $ref: '#/$defs/p' }, { type: 'null' }] } },
          required: ['name', 'child'],
        },
      },
    },
  ],
  ['A product code such as AB-123.', { type: 'string', pattern: '^[A-Z]{2}-[0-9]{3}$' }],
  [
    'Call a tool.',
    {
      oneOf: ['search', 'open'].map((name) => ({
        type: 'object',
        properties: { name: { const: name }, [name === 'search' ? 'query' : 'path']: text },
        required: ['name', name === 'search' ? 'query' : 'path'],
      })),
    },
  ],
  [
    'How many people live in some cities?',
    { type: 'object', additionalProperties: { type: 'integer', minimum: 0 }, propertyNames: { maxLength: 12 } },
  ],
  ['Nested lists.', { type: 'array', items: { type: 'array', items: { type: 'integer' }, maxItems: 2 }, maxItems: 3 }],
]
const SAMPLINGS = [0, 0.7, 1.2].map((temperature) => ({ kind: 'sample', temperature, seed: 11 }) as const)

test.skipIf(!folder).each(SCHEMAS)(
  '%s: valid at every temperature, and the same with drafts (needs FORETOKEN_MODELS)',
  async (question, schema) => {
    const ajv = new Ajv2020({ strict: false })
    addFormats.default(ajv)
    const validate = ajv.compile(schema)
    const constraint = jsonSchemaConstraint(schema)
    for (const sampling of SAMPLINGS) {
      const options = {
        messages: [{ role: 'user', content: question }],
        constraint,
        sampling,
        maxNewTokens: 80,
        stopTokens: lm.tokenizer?.specialTokens.endOfText ?? [],
      }
      const plain = await generateText(lm, { ...options, speculate: 'off' })
      if (plain.finishReason === 'stop-token') {
        const value = JSON.parse(plain.text)
        expect(validate(value), `${plain.text} ${JSON.stringify(validate.errors)}`).toBe(true)
      } else expect(plain.ids.length).toBe(80)
      const drafted = await generateText(lm, { ...options, speculate: copies(4) })
      expect(drafted.ids).toEqual(plain.ids)
    }
  },
  120_000,
)

/** Drafts what followed the last token before. */
function copies(count: number): Drafter {
  return {
    name: 'copies',
    begin: () => ({
      propose({ tokens, most, deepest }) {
        const at = tokens.lastIndexOf(tokens.at(-1) ?? 0, tokens.length - 2)
        const draft = at < 0 ? [] : tokens.slice(at + 1, at + 1 + Math.min(count, most, deepest, tokens.length - at - 1))
        return { tokens: Int32Array.from(draft), parents: Int32Array.from(draft, (_, i) => i - 1) }
      },
    }),
  }
}

test.skipIf(!folder)('a choice and a pattern are kept although the model would say something else (needs FORETOKEN_MODELS)', async () => {
  const messages = [{ role: 'user', content: 'Write a long story.' }]
  const chosen = await generateText(lm, { messages, constraint: choiceConstraint(['left', 'right', 'straight on']) })
  expect(['left', 'right', 'straight on']).toContain(chosen.text)
  const matched = await generateText(lm, { messages, constraint: regexConstraint('[0-9]{4}(, [0-9]{4}){2}') })
  expect(matched.text).toMatch(/^[0-9]{4}(, [0-9]{4}){2}$/)
})

test.skipIf(!folder)('every way to spell a choice is allowed, and a token that only begins it (needs FORETOKEN_MODELS)', () => {
  const { tokenizer } = lm
  if (tokenizer === undefined) throw new Error('no tokenizer')
  const vocabulary = outputVocabulary(tokenizer, lm.config.vocab, new Set(tokenizer.specialTokens.endOfText), false)
  const state = choiceConstraint(['straight on']).follow(vocabulary)
  const allowed = Array.from({ length: lm.config.vocab }, (_, token) => token).filter((token) => state.allows(token))
  const expected = Array.from({ length: lm.config.vocab }, (_, token) => token).filter(
    (token) => !tokenizer.isSpecial(token) && tokenizer.tokenOf(token) !== undefined && 'straight on'.startsWith(tokenizer.decode([token])),
  )
  expect(allowed).toEqual(expected)
  expect(allowed.length).toBeGreaterThan(3)
})
