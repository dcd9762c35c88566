import { generateBatch, generateText, generateTexts } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { countingModel, hashModel, uniformModel } from './fakes/fake-model.ts'

const PROMPTS = [{ tokens: [1] }, { tokens: [7, 3, 9, 2, 8, 8] }, { tokens: [4, 4] }]

test.each([
  ['greedy', { maxNewTokens: 12 }],
  ['sampling', { maxNewTokens: 12, sampling: { kind: 'sample', temperature: 0.9, topP: 0.9, seed: 4 } }],
  ['penalties', { maxNewTokens: 12, repetitionPenalty: 1.4, noRepeatNgram: 2, badWords: [[3]], minNewTokens: 5, stopTokens: [6, 11] }],
  ['short prefill steps', { maxNewTokens: 5, prefillRows: 2 }],
] as const)('each row of a batch is what it is alone: %s', async (_, options) => {
  const together = await generateTexts(hashModel({ vocab: 32 }), PROMPTS, options)
  for (const [row, prompt] of PROMPTS.entries()) {
    const alone = await generateText(hashModel({ vocab: 32 }), { ...prompt, ...options, sequence: row })
    expect(together[row]?.ids).toEqual(alone.ids)
    expect(together[row]?.logProbabilities).toEqual(alone.logProbabilities)
    expect(together[row]?.finishReason).toBe(alone.finishReason)
  }
})

test('all unfinished rows share each step, and finished ones leave', async () => {
  const lm = countingModel({ vocab: 16 })
  // Row 0 stops at 9 after four tokens, row 1 after two.
  await generateTexts(lm, [{ tokens: [5] }, { tokens: [7] }], { stopTokens: [9] })
  expect(lm.calls).toBe(4)
  expect(lm.steps).toEqual([1, 1, 1, 1, 1, 1])
})

test('equal prompts draw different samples', async () => {
  const outputs = await generateTexts(uniformModel({ vocab: 64 }), [{ tokens: [1] }, { tokens: [1] }], {
    maxNewTokens: 8,
    sampling: { kind: 'sample' },
  })
  expect(outputs[0]?.ids).not.toEqual(outputs[1]?.ids)
})

test('progress of the prefill counts the rows of all prompts', async () => {
  const seen: number[] = []
  await generateTexts(countingModel({ vocab: 16 }), PROMPTS, {
    maxNewTokens: 1,
    prefillRows: 2,
    onPrefill: ({ done, total }) => {
      expect(total).toBe(9)
      seen.push(done)
    },
  })
  expect(seen.at(-1)).toBe(9)
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
})

test('an abort ends all rows and leaves no cache', async () => {
  const lm = uniformModel({ vocab: 16 })
  const controller = new AbortController()
  const run = async () => {
    for await (const _ of generateBatch(lm, PROMPTS, { signal: controller.signal })) controller.abort('enough')
  }
  await expect(run()).rejects.toBe('enough')
  expect(lm.openCaches.size).toBe(0)
})

test('leaving the loop early leaves no cache', async () => {
  const lm = uniformModel({ vocab: 16 })
  for await (const _ of generateBatch(lm, PROMPTS)) break
  expect(lm.openCaches.size).toBe(0)
})

test('no prompts give no outputs, and maxNewTokens 0 one empty output each', async () => {
  expect(await generateTexts(uniformModel({ vocab: 16 }), [])).toEqual([])
  const lm = uniformModel({ vocab: 16 })
  const outputs = await generateTexts(lm, PROMPTS, { maxNewTokens: 0 })
  expect(outputs.map(({ ids }) => ids)).toEqual([[], [], []])
  expect(lm.calls).toBe(0)
})

test('options among the fields of a prompt are refused', () => {
  const prompt = { tokens: [1], maxNewTokens: 3 }
  expect(() => generateBatch(uniformModel({ vocab: 16 }), [prompt])).toThrow(expect.objectContaining({ code: 'argument' }))
})
