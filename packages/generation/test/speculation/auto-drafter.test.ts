import { expect, test } from 'vitest'
import { autoDrafter, generateText } from '../../src/index.ts'
import { countingModel, hashModel } from '../fakes/fake-model.ts'

// counts round and round: the second round is a copy of the first
const OPTIONS = { tokens: [1, 2, 3], maxNewTokens: 60 } as const

test('drafts are the default where rows are exact: a text that repeats itself takes fewer steps', async () => {
  const lm = countingModel({ vocab: 8 })
  const { ids, statistics } = await generateText(lm, OPTIONS)
  expect(ids).toEqual(Array.from({ length: 60 }, (_, i) => (4 + i) % 8))
  expect(statistics.speculation?.tokensPerStep).toBeGreaterThan(2)
  expect(statistics.speculation?.summary?.decisions).toHaveProperty('drafted')
  expect(lm.steps.length).toBeLessThan(30)
})

test("'off', beams and rows that are not exact are decoded one by one", async () => {
  for (const [lm, options] of [
    [countingModel({ vocab: 8 }), { speculate: 'off' }],
    [countingModel({ vocab: 8 }), { beams: { count: 2 } }],
    [countingModel({ vocab: 8, isExact: false }), {}],
    [countingModel({ vocab: 8, isExact: false }), { speculate: 'auto' }],
  ] as const) {
    const { ids, statistics } = await generateText(lm, { ...OPTIONS, ...options })
    expect(ids.length).toBe(60)
    expect(statistics.speculation).toBeUndefined()
  }
  const inexact = countingModel({ vocab: 8, isExact: false })
  expect((await generateText(inexact, { ...OPTIONS, speculateInexactly: true })).statistics.speculation).toBeDefined()
})

test('a name that is none is refused', async () => {
  const options: object = { ...OPTIONS, speculate: 'yes' }
  await expect(generateText(countingModel({ vocab: 8 }), { ...OPTIONS, ...options })).rejects.toThrow(/speculate: found yes/)
})

test('texts of a user are quoted, and the output is that of plain decoding', async () => {
  const lm = hashModel({ vocab: 32 })
  const { ids } = await generateText(lm, { ...OPTIONS, speculate: 'off' })
  const plain = await generateText(lm, { ...OPTIONS, speculate: autoDrafter() })
  const quoted = await generateText(lm, { ...OPTIONS, speculate: autoDrafter({ texts: [[9, 9, 1, 2, 3, ...ids]] }) })
  expect(plain.ids).toEqual(ids)
  expect(quoted.ids).toEqual(ids)
  expect(quoted.statistics.speculation?.steps).toBeLessThan((plain.statistics.speculation?.steps ?? 0) / 3)
})
