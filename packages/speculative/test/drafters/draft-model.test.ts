import { generate, generateText, prefixProcessor, type SingleGenerationOptions } from '@foretoken/generation'
import { describe, expect, test } from 'vitest'
import { draftModel } from '../../src/drafters/draft-model.ts'
import { hashModel } from '../fakes/hash-model.ts'
import { watchedModel } from '../fakes/watched-model.ts'

const parity = prefixProcessor('parity', (logits, { tokens }) => {
  for (let token = 0; token < logits.length; token++) if ((token + tokens.length) % 2 === 1) logits[token] = Number.NEGATIVE_INFINITY
})

const OPTIONS: Record<string, SingleGenerationOptions> = {
  greedy: {},
  'temperature 0.7': { sampling: { kind: 'sample', temperature: 0.7, seed: 1 } },
  'temperature 1.2, top-p 0.9': { sampling: { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 2 } },
  'repetition penalty 1.1 and a constraint': { repetitionPenalty: 1.1, processors: [parity], sampling: { kind: 'sample', seed: 3 } },
}

describe.each(Object.entries(OPTIONS))('%s', (_name, options) => {
  test('a draft model that is the model itself has every token accepted', async () => {
    const lm = hashModel({ vocab: 32, memory: 3 })
    const all = { speculate: 'off' as const, tokens: [1, 2, 3], maxNewTokens: 60, ...options }
    const plain = await generateText(lm, { ...all, speculate: 'off' })
    const speculate = draftModel(hashModel({ vocab: 32, memory: 3 }), { leastConfidence: 0 })
    const drafted = await generateText(lm, { ...all, speculate })
    expect(drafted.ids).toEqual(plain.ids)
    expect(drafted.logProbabilities).toEqual(plain.logProbabilities)
    const { accepted, drafted: count, tokensPerStep } = drafted.statistics.speculation ?? {}
    expect(accepted).toBe(count)
    expect(tokensPerStep).toBeGreaterThan(4.5)
  })

  test('another draft model changes no token', async () => {
    const lm = hashModel({ vocab: 32, memory: 2 })
    for (const memory of [1, 4]) {
      const draft = hashModel({ vocab: 32, memory })
      const all = { speculate: 'off' as const, tokens: [1, 2, 3], maxNewTokens: 40, ...options }
      const { ids } = await generateText(lm, { ...all, speculate: draftModel(draft, { leastConfidence: 0, draftTokens: 3 }) })
      expect(ids).toEqual((await generateText(lm, { ...all, speculate: 'off' })).ids)
    }
  })
})

test('a draft ends where the draft model is unsure, and at a stop token', async () => {
  const lm = hashModel({ vocab: 32, memory: 3 })
  const plain = await generateText(lm, { tokens: [1, 2], maxNewTokens: 30, speculate: 'off' })
  const unsure = await generateText(lm, { tokens: [1, 2], maxNewTokens: 30, speculate: draftModel(lm, { leastConfidence: 1 }) })
  expect(unsure.statistics.speculation?.drafted).toBe(0)
  const stop = plain.ids[2] ?? 0
  const options = { tokens: [1, 2], maxNewTokens: 30, stopTokens: [stop] }
  const stopped = await generateText(lm, { ...options, speculate: draftModel(lm, { leastConfidence: 0, draftTokens: 8 }) })
  expect(stopped.ids).toEqual((await generateText(lm, { ...options, speculate: 'off' })).ids)
  expect(stopped.statistics.speculation?.drafted).toBe(stopped.ids.length - 1)
})

test('an abort in the middle of a draft, an error of the draft model, and a loop that is left leave no cache open', async () => {
  const controller = new AbortController()
  const lm = hashModel({ vocab: 32 })
  const draft = watchedModel(hashModel({ vocab: 32 }), (step) => {
    if (step === 6) controller.abort(new Error('enough'))
  })
  const all = { speculate: 'off' as const, tokens: [1, 2], maxNewTokens: 50 }
  await expect(
    generateText(lm, { ...all, signal: controller.signal, speculate: draftModel(draft, { leastConfidence: 0 }) }),
  ).rejects.toThrow('enough')
  expect(draft.open.size).toBe(0)
  const failing = watchedModel(hashModel({ vocab: 32 }), (step) => {
    if (step === 3) throw new Error('no step')
  })
  await expect(generateText(lm, { ...all, speculate: draftModel(failing, { leastConfidence: 0 }) })).rejects.toThrow('no step')
  expect(failing.open.size).toBe(0)
  const left = watchedModel(hashModel({ vocab: 32 }))
  for await (const { ids } of generate(lm, { ...all, speculate: draftModel(left) })) if (ids.length > 0 && left.open.size > 0) break
  expect(left.open.size).toBe(0)
})

test('a model of another vocabulary is refused before anything runs', async () => {
  const draft = watchedModel(hashModel({ vocab: 31 }))
  const refused = generateText(hashModel({ vocab: 32 }), { tokens: [1], speculate: draftModel(draft) })
  await expect(refused).rejects.toMatchObject({ code: 'vocabulary' })
  expect(draft.open.size).toBe(0)
  for (const wrong of [{ draftTokens: 0 }, { leastConfidence: 2 }, { leastConfidence: Number.NaN }]) {
    expect(() => draftModel(draft, wrong)).toThrow(expect.objectContaining({ code: 'argument' }))
  }
})
