import { generate, generateText } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { byteTokenizer, END } from './fakes/byte-tokenizer.ts'
import { countingModel, hashModel, scriptedModel, uniformModel } from './fakes/fake-model.ts'

async function piecesOf<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const piece of pieces) all.push(piece)
  return all
}

const bytes = (text: string) => Array.from(new TextEncoder().encode(text))

/** Writes `text` after the prompt "?", then the end token. */
const writer = (text: string) =>
  scriptedModel({ vocab: 259, promptLength: 1, output: [...bytes(text), END], end: END, tokenizer: byteTokenizer() })

test('a counting model counts until maxNewTokens', async () => {
  const lm = countingModel({ vocab: 16 })
  const { ids, finishReason } = await generateText(lm, { tokens: [3], maxNewTokens: 5 })
  expect(ids).toEqual([4, 5, 6, 7, 8])
  expect(finishReason).toBe('length')
})

test('each token is one piece, and only the last has a finish reason and statistics', async () => {
  const pieces = await piecesOf(generate(countingModel({ vocab: 16 }), { tokens: [3], maxNewTokens: 3 }))
  expect(pieces.map(({ ids }) => ids)).toEqual([[4], [5], [6]])
  expect(pieces.map(({ finishReason }) => finishReason)).toEqual([undefined, undefined, 'length'])
  expect(pieces[2]?.statistics).toMatchObject({ promptTokens: 1, reusedTokens: 0, newTokens: 3 })
})

test('a stop token ends the output, is in the ids, and has no text', async () => {
  const output = await generateText(writer('hi'), { prompt: '?' })
  expect(output.text).toBe('hi')
  expect(output.ids).toEqual([...bytes('hi'), END])
  expect(output.finishReason).toBe('stop-token')
})

test('an empty list of stop tokens goes on through the end token', async () => {
  const output = await generateText(writer('hi'), { prompt: '?', stopTokens: [], maxNewTokens: 4 })
  expect(output.ids).toEqual([...bytes('hi'), END, END])
  expect(output.finishReason).toBe('length')
})

test('a character of three tokens is never split between pieces', async () => {
  const pieces = await piecesOf(generate(writer('a€b'), { prompt: '?' }))
  expect(pieces.map(({ text }) => text)).toEqual(['a', '', '', '€', 'b', ''])
})

test('an incomplete character at the end comes out as U+FFFD', async () => {
  const output = await generateText(writer('a€'), { prompt: '?', maxNewTokens: 2 })
  expect(output.text).toBe('a\u{fffd}')
})

test('a character that begins in the prompt is completed', async () => {
  const [first = 0, ...rest] = bytes('é')
  const lm = scriptedModel({ vocab: 259, promptLength: 1, output: rest, tokenizer: byteTokenizer() })
  expect((await generateText(lm, { tokens: [first], maxNewTokens: 1 })).text).toBe('é')
})

test('text is cut before a stop string that spans tokens, and the ids end with the token that completed it', async () => {
  const output = await generateText(writer('one STOP two'), { prompt: '?', stopStrings: ['STOP'] })
  expect(output.text).toBe('one ')
  expect(output.ids).toEqual(bytes('one STOP'))
  expect(output.finishReason).toBe('stop-string')
})

test('text that could become a stop string is held back, and comes out when it did not', async () => {
  const pieces = await piecesOf(generate(writer('STOx'), { prompt: '?', stopStrings: ['STOP'] }))
  expect(pieces.map(({ text }) => text)).toEqual(['', '', '', 'STOx', ''])
})

test('text that is held back at the end of the output comes out with the last piece', async () => {
  const output = await generateText(writer('a STO'), { prompt: '?', stopStrings: ['STOP'] })
  expect(output.text).toBe('a STO')
  expect(output.finishReason).toBe('stop-token')
})

test('an incomplete character at the end can complete a stop string', async () => {
  const output = await generateText(writer('a€'), { prompt: '?', maxNewTokens: 2, stopStrings: ['\u{fffd}'] })
  expect(output).toMatchObject({ text: 'a', finishReason: 'stop-string' })
})

test('log-probabilities are those of the raw distribution, whatever the processors do', async () => {
  const lm = uniformModel({ vocab: 8 })
  const { logProbabilities } = await generateText(lm, { tokens: [1], maxNewTokens: 3, logitBias: new Map([[5, 4]]) })
  for (const each of logProbabilities) expect(each).toBeCloseTo(-Math.log(8), 12)
})

test('topLogProbabilities are the best tokens of the same distribution', async () => {
  const lm = countingModel({ vocab: 4 })
  const { topLogProbabilities } = await generateText(lm, { tokens: [0], maxNewTokens: 1, topLogProbabilities: 2 })
  const total = Math.log(Math.exp(10) + 3)
  expect(topLogProbabilities?.[0]?.map(({ id }) => id)).toEqual([1, 0])
  expect(topLogProbabilities?.[0]?.[0]?.logProbability).toBeCloseTo(10 - total, 6)
  expect(topLogProbabilities?.[0]?.[1]?.logProbability).toBeCloseTo(-total, 6)
})

test('the same seed gives the same tokens, another seed others', async () => {
  const run = (seed: number) =>
    generateText(hashModel({ vocab: 64 }), { tokens: [1, 2], maxNewTokens: 32, sampling: { kind: 'sample', seed } })
  const first = await run(1)
  expect((await run(1)).ids).toEqual(first.ids)
  expect((await run(2)).ids).not.toEqual(first.ids)
})

test('the seed is 0 when none is given', async () => {
  const lm = hashModel({ vocab: 64 })
  const unseeded = await generateText(lm, { tokens: [1], maxNewTokens: 16, sampling: { kind: 'sample' } })
  const zero = await generateText(lm, { tokens: [1], maxNewTokens: 16, sampling: { kind: 'sample', seed: 0 } })
  expect(unseeded.ids).toEqual(zero.ids)
})

test('the output ends where the context does', async () => {
  const output = await generateText(countingModel({ vocab: 16, maxPositions: 8 }), { tokens: [1, 2, 3], maxNewTokens: 100 })
  expect(output.ids).toEqual([4, 5, 6, 7, 8])
  expect(output.finishReason).toBe('length')
})

test('beyondContext goes on where the context ends', async () => {
  const model = countingModel({ vocab: 16 })
  const lm = { ...model, config: { ...model.config, maxPositions: 8 } }
  const options = { tokens: [1, 2, 3], maxNewTokens: 10, beyondContext: true }
  expect((await generateText(lm, options)).ids).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  await expect(generateText(lm, { ...options, tokens: [1, 2, 3, 4, 5, 6, 7, 8, 9] })).rejects.toMatchObject({ code: 'context-length' })
})

test('every cache that a generation makes is disposed of', async () => {
  const lm = countingModel({ vocab: 16 })
  await generateText(lm, { tokens: [1], maxNewTokens: 3 })
  for await (const _ of generate(lm, { tokens: [1], maxNewTokens: 3 })) break
  expect(lm.openCaches.size).toBe(0)
})

test('a message is generated after the chat template', async () => {
  const lm = scriptedModel({ vocab: 259, promptLength: 6, output: [...bytes('ok'), END], tokenizer: byteTokenizer() })
  const output = await generateText(lm, { messages: [{ role: 'user', content: 'hey' }] })
  expect(output.text).toBe('ok')
  expect(output.statistics.promptTokens).toBe(6)
})
