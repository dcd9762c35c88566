/** Constraints in the decoding loops, on models whose logits are a known function of the tokens before. */
import {
  choiceConstraint,
  type Drafter,
  generate,
  generateBeams,
  generateText,
  generateTexts,
  jsonSchemaConstraint,
  minimumLength,
  type SingleGenerationOptions,
} from '@foretoken/generation'
import { expect, test } from 'vitest'
import { byteTokenizer, END } from '../fakes/byte-tokenizer.ts'
import { fakeModel } from '../fakes/fake-model.ts'

const VOCAB = 259
const tokenizer = { ...byteTokenizer(), tokenBytes: (id: number) => (id < 256 ? Uint8Array.of(id) : new TextEncoder().encode(`<${id}>`)) }

/** Logits without a pattern: a hash of the last tokens. */
function noise(context: readonly number[]): Float32Array {
  let hash = 17
  for (const token of context.slice(-5)) hash = (hash * 31 + token) % 1_000_003
  return Float32Array.from({ length: VOCAB }, (_, token) => ((hash * (token + 7) * 7919) % 1009) / 100)
}

const model = () => fakeModel({ vocab: VOCAB, logits: noise, tokenizer, endOfText: [END] })

const SCHEMA = {
  type: 'object',
  properties: {
    a: { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 5 },
    b: { enum: ['x', 'yy', 'zzz'] },
    c: { type: 'integer' },
  },
  required: ['a', 'b'],
}
const constraint = jsonSchemaConstraint(SCHEMA)
const SAMPLINGS = [
  { kind: 'greedy' },
  { kind: 'sample', temperature: 0.7, seed: 3 },
  { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 5 },
] as const

test('an output under a schema is valid, ends with a stop token, and has the special tokens of nobody', async () => {
  for (const sampling of SAMPLINGS) {
    const { text, ids, finishReason } = await generateText(model(), { prompt: 'Go', constraint, sampling, maxNewTokens: 200 })
    const value = JSON.parse(text)
    expect(value.a.length).toBeGreaterThanOrEqual(2)
    expect(['x', 'yy', 'zzz']).toContain(value.b)
    expect(finishReason).toBe('stop-token')
    expect(ids.filter((id) => id >= 256)).toEqual([END])
  }
})

test('greedy decoding takes the best token of those that are allowed', async () => {
  const { text } = await generateText(model(), { prompt: 'Go', constraint: choiceConstraint(['ab', 'ac', 'b']) })
  const row = noise(Array.from('Go', (letter) => letter.charCodeAt(0)))
  const expected = (row[97] ?? 0) >= (row[98] ?? 0) ? 'a' : 'b'
  expect(text.startsWith(expected)).toBe(true)
  expect(['ab', 'ac', 'b']).toContain(text)
})

test('a batch gives what each output gives alone', async () => {
  const prompts = [{ prompt: 'one' }, { prompt: 'two' }, { prompt: 'three' }]
  const sampling = { kind: 'sample', temperature: 1, seed: 9 } as const
  const together = await generateTexts(model(), prompts, { constraint, sampling, maxNewTokens: 120 })
  for (const [row, prompt] of prompts.entries()) {
    const alone = await generateText(model(), { ...prompt, constraint, sampling, sequence: row, maxNewTokens: 120 })
    expect(together[row]?.ids).toEqual(alone.ids)
  }
})

test('beams each follow their own output: all hypotheses hold, and the best is the best of all texts', async () => {
  const texts = ['aa', 'ab', 'ba', 'bbb']
  const hypotheses = await generateBeams(model(), {
    prompt: 'Go',
    constraint: choiceConstraint(texts),
    beams: { count: 4, lengthPenalty: 0 },
    maxNewTokens: 9,
  })
  const sums = texts.map((text) => {
    const context = Array.from('Go', (letter) => letter.charCodeAt(0))
    let sum = 0
    for (const token of [...Array.from(text, (letter) => letter.charCodeAt(0)), END]) {
      const row = noise(context)
      sum += (row[token] ?? 0) - Math.log(row.reduce((total, logit) => total + Math.exp(logit), 0))
      context.push(token)
    }
    return sum
  })
  expect(hypotheses.map(({ text }) => text).toSorted()).toEqual(texts)
  expect(hypotheses[0]?.text).toBe(texts[sums.indexOf(Math.max(...sums))])
})

/** Drafts a tree of guesses: what the grammar forbids among them. */
const guesses: Drafter = {
  name: 'guesses',
  begin: ({ processors }) => {
    expect(processors?.length).toBe(1)
    return {
      propose: ({ tokens, most, deepest }) => {
        const letters = Array.from('{}[]":,atruefls xyz', (letter) => letter.charCodeAt(0))
        const start = (tokens.at(-1) ?? 0) % 5
        const width = Math.min(most, letters.length)
        const nodes = letters.slice(0, width)
        return {
          tokens: Int32Array.from(nodes),
          parents: Int32Array.from(nodes, (_, i) => (i > 4 && deepest > 1 ? (i + start) % 4 : -1)),
        }
      },
    }
  },
}

test('drafts are masked by their own prefix: the ids are those of plain decoding', async () => {
  for (const sampling of SAMPLINGS) {
    const options: SingleGenerationOptions & { prompt: string } = {
      prompt: 'Go',
      constraint,
      sampling,
      maxNewTokens: 150,
      speculate: 'off',
    }
    const plain = await generateText(model(), options)
    let accepted = 0
    const onDrafts: SingleGenerationOptions['onDrafts'] = (drafts) => {
      accepted += drafts.accepted
    }
    const drafted = await generateText(model(), { ...options, speculate: guesses, onDrafts })
    expect(drafted.ids).toEqual(plain.ids)
    expect(accepted).toBe(drafted.statistics.speculation?.accepted)
    expect(drafted.statistics.speculation?.accepted).toBeGreaterThan(0)
  }
})

test('what other processors forbid is not allowed again: where nothing is left, the error says so', async () => {
  await expect(generateText(model(), { prompt: 'Go', constraint: choiceConstraint(['a']), badWords: [[97]] })).rejects.toThrow(
    /every token forbidden/,
  )
  const late = generateText(model(), { prompt: 'Go', constraint: choiceConstraint(['a']), processors: [minimumLength(3, [END])] })
  await expect(late).rejects.toMatchObject({ code: 'processor' })
})

test('an output that is cut off is the beginning of a valid one', async () => {
  const { text, finishReason } = await generateText(model(), { prompt: 'Go', constraint, maxNewTokens: 4 })
  expect(finishReason).toBe('length')
  expect('{"a":'.startsWith(text.replaceAll(/\s/g, ''))).toBe(true)
})

test('without a tokenizer, or without stop tokens, a constraint is refused at once', () => {
  const bare = fakeModel({ vocab: VOCAB, logits: noise, endOfText: [END] })
  expect(() => generate(bare, { tokens: [1], constraint })).toThrow(expect.objectContaining({ code: 'tokenizer-missing' }))
  expect(() => generate(model(), { prompt: 'Go', constraint, stopTokens: [] })).toThrow(expect.objectContaining({ code: 'argument' }))
})

test('a hundred generations keep no more than the first ones', async () => {
  const own = jsonSchemaConstraint(SCHEMA)
  const lm = model()
  for (let seed = 0; seed < 100; seed++) {
    await generateText(lm, { prompt: 'Go', constraint: own, sampling: { kind: 'sample', seed }, maxNewTokens: 30 })
  }
  expect(lm.openCaches.size).toBe(0)
})
