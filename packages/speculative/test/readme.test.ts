import { hashModel } from './fakes/hash-model.ts'

const lm = hashModel({ vocab: 259 })
const prompt = Array.from(new TextEncoder().encode('the cat sat on the mat, the cat'))

// readme:start
import { generateText } from '@foretoken/generation'
import { suffixDrafter, tokenRecycling, withBudget } from '@foretoken/speculative'

// `lm` is an open model: const lm = await loadCausalLM(folder), from @foretoken/models
const drafter = withBudget([suffixDrafter(), tokenRecycling()]) // keeps what it learns about acceptance: use one for many prompts
const { ids, statistics } = await generateText(lm, { tokens: prompt, speculate: drafter, maxNewTokens: 40 })
const { tokensPerStep, acceptedByDepth, summary } = statistics.speculation ?? {}

// readme:end

import { expect, test } from 'vitest'

test('the snippet of the README gives the ids of plain decoding, and says what the drafts brought', async () => {
  expect(ids).toEqual((await generateText(lm, { tokens: prompt, maxNewTokens: 40, speculate: 'off' })).ids)
  expect(tokensPerStep).toBeGreaterThanOrEqual(1)
  expect(acceptedByDepth).toBeInstanceOf(Array)
  expect(summary?.sources.map(({ name }) => name)).toEqual(['suffix automaton', 'token recycling'])
})
