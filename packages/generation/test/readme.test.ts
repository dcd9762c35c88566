import { byteTokenizer } from './fakes/byte-tokenizer.ts'
import { fakeModel } from './fakes/fake-model.ts'

// Answers "blue" to everything: after the bytes of the word comes the end token.
const lm = fakeModel({
  vocab: 259,
  tokenizer: byteTokenizer(),
  logits(context) {
    const written = context.length - 1 - context.lastIndexOf(258)
    const row = new Float32Array(259)
    row['blue'.charCodeAt(written) || 256] = 50
    return row
  },
})

// readme:start
import { generate, generateText, PrefixCache, score } from '@foretoken/generation'

// `lm` is an open model: const lm = await loadCausalLM(folder), from @foretoken/models
await using cache = new PrefixCache(lm) // keeps the rows of the conversation from turn to turn
const messages = [{ role: 'user', content: 'Name a colour.' }]
let answer = ''
for await (const piece of generate(lm, {
  messages,
  cache,
  sampling: { kind: 'sample', temperature: 0.7, topP: 0.9, seed: 1 },
  stopStrings: ['\n\n'],
  maxNewTokens: 100,
})) {
  answer += piece.text // as soon as it is certain
}

messages.push({ role: 'assistant', content: answer }, { role: 'user', content: 'Another one.' })
const second = await generateText(lm, { messages, cache }) // computes only what is new
const { perplexity } = await score(lm, { prompt: answer })

// readme:end

import { expect, test } from 'vitest'

test('the snippet of the README streams an answer, and the second turn reuses the first', () => {
  expect(answer).toBe('blue')
  expect(second.text).toBe('blue')
  // <user> 14 bytes <end> <model> 4 bytes: the end token's row was not computed.
  expect(second.statistics.reusedTokens).toBe(21)
  expect(perplexity).toBeCloseTo(1) // the model is sure of every letter
})
