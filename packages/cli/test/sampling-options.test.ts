import type { CausalLM } from '@foretoken/models'
import { expect, test } from 'vitest'
import { chatSampling, samplingOptions } from '../src/sampling-options.ts'

/** Only its recommendations are looked at. */
function recommending(generationDefaults: Partial<CausalLM['generationDefaults']>): CausalLM {
  // a whole model would say nothing more about recommendations
  return { generationDefaults: { endOfText: [], ...generationDefaults } } as unknown as CausalLM
}

test('without flags and defaults the choice is greedy', () => {
  expect(samplingOptions({})).toEqual({ sampling: { kind: 'greedy' } })
})

test('a chat samples near the best token when the checkpoint recommends nothing', () => {
  expect(samplingOptions({}, chatSampling(recommending({})))).toEqual({
    repetitionPenalty: 1.1,
    sampling: { kind: 'sample', temperature: 0.2, topP: 0.9 },
  })
})

test('what the checkpoint recommends holds in a chat, and a flag changes its own number alone', () => {
  const defaults = chatSampling(recommending({ temperature: 0.7, topK: 20, repetitionPenalty: 1.1 }))
  expect(samplingOptions({}, defaults)).toMatchObject({ sampling: { kind: 'sample', temperature: 0.7, topK: 20 }, repetitionPenalty: 1.1 })
  expect(samplingOptions({ temperature: 0.1 }, defaults)).toMatchObject({
    sampling: { temperature: 0.1, topK: 20 },
    repetitionPenalty: 1.1,
  })
})

test('a repetition penalty that is recommended leaves the rest of the choice to the chat', () => {
  const defaults = chatSampling(recommending({ repetitionPenalty: 1.1 }))
  expect(samplingOptions({}, defaults)).toEqual({ sampling: { kind: 'sample', temperature: 0.2, topP: 0.9 }, repetitionPenalty: 1.1 })
})

test('--greedy wins over what is recommended', () => {
  expect(samplingOptions({ greedy: true }, chatSampling(recommending({ temperature: 0.7 })))).toEqual({ sampling: { kind: 'greedy' } })
})

test('--top-k 0 takes a limit away', () => {
  const defaults = chatSampling(recommending({ topK: 20 }))
  expect(samplingOptions({ topK: 0 }, defaults)).toEqual({ sampling: { kind: 'sample', seed: 0, topK: Number.POSITIVE_INFINITY } })
})

test('a seed alone asks for sampling', () => {
  expect(samplingOptions({ seed: 3 })).toEqual({ sampling: { kind: 'sample', seed: 3 } })
})
