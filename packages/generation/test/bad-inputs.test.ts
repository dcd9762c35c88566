/** The list "generation" of the inputs that must be refused, or must work although they look odd: one test each. */
import { generate, generateText, prefixProcessor, type Sampling, score } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { byteTokenizer } from './fakes/byte-tokenizer.ts'
import { countingModel, fakeModel, hashModel, uniformModel } from './fakes/fake-model.ts'

const refusal = (code: string, ...parts: string[]) => {
  const message = expect.stringMatching(new RegExp(parts.map((part) => part.replaceAll(/[()[\].]/g, '\\$&')).join('.*')))
  return expect.objectContaining({ code, message })
}

test('an empty prompt of tokens is refused at once', () => {
  expect(() => generate(uniformModel({ vocab: 8 }), { tokens: [] })).toThrow(refusal('argument', 'prompt', 'no tokens'))
})

test('an empty text, for which the tokenizer adds nothing, is refused', () => {
  const lm = uniformModel({ vocab: 259, tokenizer: byteTokenizer() })
  expect(() => generate(lm, { prompt: '' })).toThrow(refusal('argument', 'no tokens'))
})

test('two kinds of prompt at once, or none, are refused', () => {
  const both = { tokens: [1], prompt: 'hi' }
  const none = {}
  // @ts-expect-error the type does not allow it either
  expect(() => generate(uniformModel({ vocab: 8 }), both)).toThrow(refusal('argument', '2 of them', 'exactly one'))
  // @ts-expect-error the type does not allow it either
  expect(() => generate(uniformModel({ vocab: 8 }), none)).toThrow(refusal('argument', '0 of them', 'exactly one'))
})

test('a prompt longer than the context is refused and both lengths are named', () => {
  const lm = uniformModel({ vocab: 8, maxPositions: 4 })
  expect(() => generate(lm, { tokens: [1, 1, 1, 1, 1] })).toThrow(refusal('context-length', '5 tokens', '4'))
})

test('a prompt as long as the context gives no token', async () => {
  const output = await generateText(uniformModel({ vocab: 8, maxPositions: 4 }), { tokens: [1, 1, 1, 1] })
  expect(output).toMatchObject({ ids: [], text: '', finishReason: 'length' })
})

test('maxNewTokens 0 gives one piece without tokens, and nothing is computed', async () => {
  const lm = countingModel({ vocab: 16 })
  const pieces = []
  for await (const piece of generate(lm, { tokens: [1], maxNewTokens: 0 })) pieces.push(piece)
  expect(pieces).toMatchObject([{ text: '', ids: [], finishReason: 'length', statistics: { newTokens: 0 } }])
  expect(lm.calls).toBe(0)
})

test.each<[string, Sampling]>([
  ['temperature -1', { kind: 'sample', temperature: -1 }],
  ['temperature NaN', { kind: 'sample', temperature: Number.NaN }],
  ['temperature Infinity', { kind: 'sample', temperature: Number.POSITIVE_INFINITY }],
  ['topK 0', { kind: 'sample', topK: 0 }],
  ['topK 1.5', { kind: 'sample', topK: 1.5 }],
  ['topP 0', { kind: 'sample', topP: 0 }],
  ['topP 1.1', { kind: 'sample', topP: 1.1 }],
  ['topP NaN', { kind: 'sample', topP: Number.NaN }],
  ['minP -0.1', { kind: 'sample', minP: -0.1 }],
  ['minP NaN', { kind: 'sample', minP: Number.NaN }],
  ['typicalP 0', { kind: 'sample', typicalP: 0 }],
  ['seed -1', { kind: 'sample', seed: -1 }],
  ['seed 0.5', { kind: 'sample', seed: 0.5 }],
])('%s is refused and named', (name, sampling) => {
  const [field = '', value = ''] = name.split(' ')
  expect(() => generate(uniformModel({ vocab: 8 }), { tokens: [1], sampling })).toThrow(refusal('argument', `sampling.${field}`, value))
})

test.each([1e-300, 5e-324])('temperature %s gives the greedy tokens', async (temperature) => {
  const options = { tokens: [1, 2], maxNewTokens: 20 }
  const cold = await generateText(hashModel({ vocab: 64 }), {
    ...options,
    sampling: { kind: 'sample', temperature, typicalP: 0.9, topP: 0.9 },
  })
  expect(cold.ids).toEqual((await generateText(hashModel({ vocab: 64 }), options)).ids)
})

test.each([
  ['NaN', [0, Number.NaN, 0, 0], 'NaN at token 1'],
  ['+Infinity', [0, 0, Number.POSITIVE_INFINITY, 0], 'Infinity at token 2'],
  ['only -Infinity', new Array(4).fill(Number.NEGATIVE_INFINITY), 'only -Infinity'],
])('logits with %s are refused, and the position is named', async (_, logits, found) => {
  // The third new token, at position 4, is the first with the broken row.
  const lm = fakeModel({ vocab: 4, logits: (context) => (context.length < 4 ? [1, 0, 0, 0] : logits) })
  await expect(generateText(lm, { tokens: [3, 3] })).rejects.toThrow(refusal('logits', 'position 4', found))
  await expect(score(lm, { tokens: [3, 3, 0, 0, 0] })).rejects.toThrow(refusal('logits', 'position 4', found))
  expect(lm.openCaches.size).toBe(0)
})

test.each([3, 8])('%i logits for a vocabulary of 4 are refused', async (length) => {
  const lm = fakeModel({ vocab: 4, logits: () => new Float32Array(length) })
  await expect(generateText(lm, { tokens: [1] })).rejects.toThrow(refusal('logits', `${length} logits`, 'one row of 4'))
  await expect(score(lm, { tokens: [1] })).rejects.toThrow(refusal('logits', `found ${length}`, '[1, 4]'))
})

test('processors that leave no token are refused, and the position is named', async () => {
  const logitBias = new Map([0, 1, 2, 3].map((token) => [token, Number.NEGATIVE_INFINITY]))
  const run = generateText(uniformModel({ vocab: 4 }), { tokens: [1, 1], logitBias })
  await expect(run).rejects.toThrow(refusal('processor', 'position 2', 'every token forbidden'))
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('a processor that writes %s is refused', async (value) => {
  const processors = [prefixProcessor('broken', (logits) => logits.fill(value, 2, 3))]
  const run = generateText(uniformModel({ vocab: 4 }), { tokens: [1], processors })
  await expect(run).rejects.toThrow(refusal('processor', 'position 1', `${value} at token 2`))
})

test.each([
  ['a negative id', [-1], 'tokens[0]'],
  ['an id beyond the vocabulary', [1, 8], 'tokens[1]'],
  ['a fraction', [0.5], 'tokens[0]'],
  ['NaN', [Number.NaN], 'tokens[0]'],
])('%s in the prompt is refused and its place named', (_, tokens, field) => {
  expect(() => generate(uniformModel({ vocab: 8 }), { tokens })).toThrow(refusal('argument', field))
})

test.each([
  ['maxNewTokens', { maxNewTokens: -1 }],
  ['maxNewTokens', { maxNewTokens: Number.NaN }],
  ['minNewTokens', { minNewTokens: 1.5 }],
  ['topLogProbabilities', { topLogProbabilities: 1e9 }],
  ['sequence', { sequence: -1 }],
  ['prefillRows', { prefillRows: 0 }],
  ['stopTokens[1]', { stopTokens: [1, 99] }],
  ['logitBias', { logitBias: new Map([[99, 1]]) }],
  ['badWords[0][1]', { badWords: [[1, 99]] }],
  ['repetitionPenalty', { repetitionPenalty: -2 }],
])('%s outside of its range is refused and named', (field, options) => {
  expect(() => generate(uniformModel({ vocab: 8 }), { tokens: [1], ...options })).toThrow(refusal('argument', field))
})

test('an unknown option is refused and named', () => {
  const options = { tokens: [1], maxTokens: 5 }
  expect(() => generate(uniformModel({ vocab: 8 }), options)).toThrow(refusal('argument', 'maxTokens', 'unknown'))
})

test.each([
  ['prompt', { prompt: 'hi' }],
  ['messages', { messages: [{ role: 'user', content: 'hi' }] }],
  ['stopStrings', { tokens: [1], stopStrings: ['x'] }],
] as const)('%s without a tokenizer are refused and named', (field, options) => {
  expect(() => generate(uniformModel({ vocab: 8 }), options)).toThrow(refusal('tokenizer-missing', field))
})

test('messages without a chat template are refused', () => {
  const lm = uniformModel({ vocab: 259, tokenizer: byteTokenizer({ hasChatTemplate: false }) })
  expect(() => generate(lm, { messages: [{ role: 'user', content: 'hi' }] })).toThrow(refusal('tokenizer-missing', 'chat template'))
})

test('tokens need no tokenizer, and the text is empty then', async () => {
  expect(await generateText(countingModel({ vocab: 8 }), { tokens: [1], maxNewTokens: 2 })).toMatchObject({ ids: [2, 3], text: '' })
})
