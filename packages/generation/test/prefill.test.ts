import { generateText, type PrefillProgress, score } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { hashModel } from './fakes/fake-model.ts'

const LONG = Array.from({ length: 600 }, (_, i) => (i * 5) % 32)

test('a step of the prefill never crosses a cut of the model', async () => {
  const lm = hashModel({ vocab: 32 })
  await generateText(lm, { tokens: LONG, maxNewTokens: 2, prefillRows: 1000 })
  expect(lm.steps).toEqual([256, 256, 88, 1])
})

test('a step of the prefill has 128 rows at most when nobody says how many', async () => {
  const lm = hashModel({ vocab: 32 })
  await generateText(lm, { tokens: LONG, maxNewTokens: 2 })
  expect(lm.steps).toEqual([128, 128, 128, 128, 88, 1])
})

test('prefillRows makes steps shorter, and the cuts still hold', async () => {
  const lm = hashModel({ vocab: 32 })
  await generateText(lm, { tokens: LONG, maxNewTokens: 1, prefillRows: 100 })
  expect(lm.steps).toEqual([100, 100, 56, 100, 100, 56, 88])
})

test('how the prompt was cut changes no token and no log-probability', async () => {
  const whole = await generateText(hashModel({ vocab: 32, cut: 1024 }), { tokens: LONG, maxNewTokens: 8, prefillRows: 1024 })
  const cut = await generateText(hashModel({ vocab: 32, cut: 16 }), { tokens: LONG, maxNewTokens: 8, prefillRows: 7 })
  expect(cut.ids).toEqual(whole.ids)
  expect(cut.logProbabilities).toEqual(whole.logProbabilities)
})

test('every step of the prompt names its whole length, however it is cut, and steps of decoding do not', async () => {
  const lm = hashModel({ vocab: 32 })
  await generateText(lm, { tokens: LONG, maxNewTokens: 3, prefillRows: 256 })
  await score(lm, { tokens: LONG, rows: 300 })
  await generateText(lm, { tokens: [1, 2], maxNewTokens: 2, beams: { count: 2 } })
  expect(lm.sequenceLengths).toEqual([600, 600, 600, undefined, undefined, 600, 600, 600, 2, undefined, undefined])
})

test('progress counts rows up to the whole prompt and measures with the given clock', async () => {
  let now = 0
  const onStep = () => {
    now += 10
  }
  const seen: PrefillProgress[] = []
  await generateText(hashModel({ vocab: 32, onStep }), {
    tokens: LONG,
    maxNewTokens: 1,
    prefillRows: 256,
    onPrefill: (progress) => seen.push(progress),
    clock: () => now,
  })
  expect(seen).toEqual([
    { done: 256, total: 600, elapsedMs: 10 },
    { done: 512, total: 600, elapsedMs: 20 },
    { done: 600, total: 600, elapsedMs: 30 },
  ])
})

test('the statistics separate prefill from decoding and leave out the time between pieces', async () => {
  let now = 0
  const onStep = () => {
    now += 10
  }
  const { statistics } = await generateText(hashModel({ vocab: 32, onStep }), {
    tokens: LONG,
    maxNewTokens: 5,
    prefillRows: 256,
    speculate: 'off',
    clock: () => now,
  })
  expect(statistics).toEqual({ promptTokens: 600, reusedTokens: 0, newTokens: 5, prefillMs: 30, decodeMs: 40, tokensPerSecond: 100 })
})
