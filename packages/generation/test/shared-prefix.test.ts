import { generateText, generateTexts } from '@foretoken/generation'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SharedStretch, sharedStretches } from '../src/shared-prefix.ts'
import { fakeModel, hashModel } from './fakes/fake-model.ts'

const SYSTEM = Array.from({ length: 20 }, (_, at) => (at * 5) % 31)
const TASK = Array.from({ length: 30 }, (_, at) => (at * 7 + 3) % 31)
const PROMPTS = [
  [...SYSTEM, 1, 2],
  [...SYSTEM, ...TASK, 4],
  [30, 29],
  [...SYSTEM, ...TASK, 5, 6],
  [...SYSTEM, 3],
]
const batchOf = (prompts: readonly (readonly number[])[]) => prompts.map((tokens) => ({ tokens: [...tokens] }))
const rowsOf = (steps: readonly number[]) => steps.reduce((sum, rows) => sum + rows, 0)

test('what prompts have in common is computed once, and they go on as they do alone', async () => {
  const lm = hashModel({ vocab: 32 })
  const options = { maxNewTokens: 3, prefillRows: 6, stopTokens: [] }
  const together = await generateTexts(lm, batchOf(PROMPTS), options)
  // the system prompt and the task once, what is left of each prompt, and two more rows of each
  expect(rowsOf(lm.steps)).toBe(20 + 30 + (2 + 1 + 2 + 2 + 1) + 5 * 2)
  expect(together.map(({ statistics }) => statistics.reusedTokens)).toEqual([0, 20, 0, 50, 20])
  for (const [row, tokens] of PROMPTS.entries()) {
    const alone = await generateText(hashModel({ vocab: 32 }), { tokens: [...tokens], ...options, sequence: row })
    expect(together[row]?.ids).toEqual(alone.ids)
    expect(together[row]?.logProbabilities).toEqual(alone.logProbabilities)
  }
  expect(lm.openCaches.size).toBe(0)
})

test('many samples of one prompt compute all of it but its last token once', async () => {
  const lm = hashModel({ vocab: 32 })
  await generateTexts(lm, batchOf([SYSTEM, SYSTEM, SYSTEM]), { maxNewTokens: 1, stopTokens: [] })
  expect(rowsOf(lm.steps)).toBe(19 + 3)
})

test('any prompts give in a batch what they give alone', async () => {
  const prompt = fc.array(fc.nat(1), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(fc.array(prompt, { maxLength: 6 }), fc.integer({ min: 1, max: 20 }), async (prompts, prefillRows) => {
      const options = { maxNewTokens: 2, prefillRows, stopTokens: [] }
      const lm = hashModel({ vocab: 4 })
      const together = await generateTexts(lm, batchOf(prompts), options)
      for (const [row, tokens] of prompts.entries()) {
        const alone = await generateText(hashModel({ vocab: 4 }), { tokens, ...options, sequence: row })
        expect(together[row]?.ids).toEqual(alone.ids)
      }
      expect(lm.openCaches.size).toBe(0)
      expect(rowsOf(lm.steps)).toBeLessThanOrEqual(rowsOf(prompts.map(({ length }) => length + 1)))
    }),
    { numRuns: 60 },
  )
})

test('stretches are what their prompts have in common, and worth their run', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(1), { maxLength: 30 }), { maxLength: 8 }), (drawn) => {
      const prompts = drawn.map((tokens) => Int32Array.from(tokens))
      const check = ({ prompts: members, from, to, next }: SharedStretch, start: number) => {
        expect(from).toBe(start)
        expect((to - from) * (members.length - 1)).toBeGreaterThanOrEqual(8)
        expect(new Set(members.map((index) => prompts[index]?.slice(0, to).join())).size).toBe(1)
        for (const index of members) expect(prompts[index]?.length).toBeGreaterThan(to)
        const below = next.flatMap((stretch) => stretch.prompts)
        expect(new Set(below).size).toBe(below.length)
        for (const stretch of next) check(stretch, to)
      }
      for (const stretch of sharedStretches(prompts)) check(stretch, 0)
    }),
  )
})

test('an error in the common rows leaves no cache', async () => {
  const lm = fakeModel({
    vocab: 32,
    logits: () => new Float32Array(32),
    onStep: (call) => {
      if (call === 3) throw new Error('broken')
    },
  })
  await expect(generateTexts(lm, batchOf(PROMPTS), { maxNewTokens: 1, prefillRows: 8 })).rejects.toThrow('broken')
  expect(lm.openCaches.size).toBe(0)
})

test('an abort in the common rows leaves no cache', async () => {
  const controller = new AbortController()
  const lm = fakeModel({
    vocab: 32,
    logits: () => new Float32Array(32),
    onStep: (call) => {
      if (call === 2) controller.abort('enough')
    },
  })
  const { signal } = controller
  await expect(generateTexts(lm, batchOf(PROMPTS), { maxNewTokens: 1, prefillRows: 8, signal })).rejects.toBe('enough')
  expect(lm.openCaches.size).toBe(0)
})

test('prompts of different lengths share no rows where the rope depends on the length', async () => {
  const model = hashModel({ vocab: 32 })
  const lm = { ...model, config: { ...model.config, ropeSwitch: 100 } }
  await generateTexts(
    lm,
    batchOf([
      [...SYSTEM, 1],
      [...SYSTEM, 1, 2],
      [...SYSTEM, 2],
    ]),
    { maxNewTokens: 1, stopTokens: [] },
  )
  expect(rowsOf(model.steps)).toBe(20 + 1 + 1 + 22)
})

test('rows are not shared where they depend on how a prompt is cut', async () => {
  const model = hashModel({ vocab: 32 })
  const lm = { ...model, plan: { ...model.plan, exact: false } }
  await generateTexts(lm, batchOf([SYSTEM, SYSTEM]), { maxNewTokens: 1, stopTokens: [] })
  expect(rowsOf(model.steps)).toBe(40)
})
