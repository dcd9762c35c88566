import { generate, generateText, score } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { countingModel, uniformModel } from './fakes/fake-model.ts'

const LONG = Array.from({ length: 600 }, (_, i) => i % 8)

test('an abort before the call computes nothing and rejects with the reason of the signal', async () => {
  const lm = countingModel({ vocab: 16 })
  const reason = new Error('not wanted')
  await expect(generateText(lm, { tokens: [1], signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(lm.calls).toBe(0)
})

test('an abort during a step ends with that step, and its token is not yielded', async () => {
  const controller = new AbortController()
  const lm = countingModel({ vocab: 16, onStep: (call) => (call === 3 ? controller.abort('enough') : undefined) })
  const ids: number[] = []
  const run = async () => {
    for await (const piece of generate(lm, { tokens: [1], signal: controller.signal })) ids.push(...piece.ids)
  }
  await expect(run()).rejects.toBe('enough')
  expect(lm.calls).toBe(3)
  expect(ids).toEqual([2, 3])
  expect(lm.openCaches.size).toBe(0)
})

test('an abort between steps ends before the next one', async () => {
  const controller = new AbortController()
  const lm = countingModel({ vocab: 16 })
  const run = async () => {
    for await (const _ of generate(lm, { tokens: [1], signal: controller.signal })) controller.abort('enough')
  }
  await expect(run()).rejects.toBe('enough')
  expect(lm.calls).toBe(1)
})

test('an abort during the prefill ends with its chunk', async () => {
  const controller = new AbortController()
  const lm = countingModel({ vocab: 16 })
  const run = generateText(lm, { tokens: LONG, signal: controller.signal, onPrefill: () => controller.abort('enough') })
  await expect(run).rejects.toBe('enough')
  expect(lm.steps).toEqual([128])
})

test('an abort after the last piece changes nothing', async () => {
  const controller = new AbortController()
  const output = await generateText(countingModel({ vocab: 16 }), { tokens: [1], maxNewTokens: 2, signal: controller.signal })
  controller.abort()
  expect(output.ids).toEqual([2, 3])
})

test('the model answers as usual after an abort', async () => {
  const controller = new AbortController()
  const lm = countingModel({ vocab: 16 })
  await expect(generateText(lm, { tokens: LONG, signal: controller.signal, onPrefill: () => controller.abort() })).rejects.toThrow()
  expect((await generateText(lm, { tokens: [1], maxNewTokens: 2 })).ids).toEqual([2, 3])
})

test('a model that fails during a step leaves no cache, and its error comes through', async () => {
  const lm = uniformModel({
    vocab: 8,
    onStep: (call) => {
      if (call === 2) throw new Error('disposed during the step')
    },
  })
  await expect(generateText(lm, { tokens: [1] })).rejects.toThrow('disposed during the step')
  expect(lm.openCaches.size).toBe(0)
})

test('an abort ends scoring within one chunk', async () => {
  const controller = new AbortController()
  const lm = countingModel({ vocab: 16, onStep: (call) => (call === 2 ? controller.abort('enough') : undefined) })
  await expect(score(lm, { tokens: LONG, signal: controller.signal })).rejects.toBe('enough')
  expect(lm.calls).toBe(2)
  expect(lm.openCaches.size).toBe(0)
})
