import { defaultStopTokens, generateText, recommendedOptions } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { byteTokenizer, END } from './fakes/byte-tokenizer.ts'
import { countingModel, hashModel, uniformModel } from './fakes/fake-model.ts'

test('stop tokens are those of the checkpoint and of its tokenizer', () => {
  expect(defaultStopTokens(uniformModel({ vocab: 300, endOfText: [7], tokenizer: byteTokenizer() }))).toEqual([7, END])
})

test('stop tokens beyond the vocabulary of the model are left out', () => {
  expect(defaultStopTokens(uniformModel({ vocab: 8, endOfText: [7, 8] }))).toEqual([7])
})

test('minNewTokens forbids the stop tokens so long', async () => {
  const output = await generateText(countingModel({ vocab: 8, endOfText: [3] }), { tokens: [2], minNewTokens: 2 })
  // 3 is forbidden twice: the lowest of the others is 0, then 1 follows it and then 2, 3.
  expect(output.ids).toEqual([0, 1, 2, 3])
})

test('recommended options are what the checkpoint ships, and greedy when it ships nothing', () => {
  const lm = uniformModel({ vocab: 8 })
  expect(recommendedOptions(lm)).toEqual({ sampling: { kind: 'greedy' } })
  const generationDefaults = { endOfText: [], temperature: 0.7, topK: 20, topP: 0.8, repetitionPenalty: 1.05 }
  expect(recommendedOptions({ ...lm, generationDefaults }, 5)).toEqual({
    sampling: { kind: 'sample', temperature: 0.7, topK: 20, topP: 0.8, seed: 5 },
    repetitionPenalty: 1.05,
  })
})

test('every option reaches the choice of tokens', async () => {
  const plain = { tokens: [1, 2, 3], maxNewTokens: 24 }
  const { ids } = await generateText(hashModel({ vocab: 12 }), plain)
  const [first = 0] = ids
  for (const options of [
    { repetitionPenalty: 3 },
    { presencePenalty: 3 },
    { frequencyPenalty: 3 },
    { noRepeatNgram: 1, maxNewTokens: 5 },
    { logitBias: new Map([[first, -100]]) },
    { badWords: [[first]] },
    { stopTokens: [first] },
    { sampling: { kind: 'sample', topK: 5 } },
  ] as const) {
    expect((await generateText(hashModel({ vocab: 12 }), { ...plain, ...options })).ids, JSON.stringify(options)).not.toEqual(ids)
  }
})
