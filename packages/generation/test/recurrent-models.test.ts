/** Models whose cache carries a state: the fake checks in each step that the state is that of the tokens whose rows the cache holds. */
import { generateText, PrefixCache } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { hashModel } from './fakes/fake-model.ts'

const model = () => hashModel({ vocab: 32, isRecurrent: true })
const PROMPT = Array.from({ length: 600 }, (_, at) => (at * 5) % 32)

test('the prompt ends with a step of as many rows as the cache can take back', async () => {
  const lm = model()
  await generateText(lm, { tokens: PROMPT, maxNewTokens: 2 })
  expect(lm.steps).toEqual([128, 128, 128, 128, 56, 32, 1])
})

test('tokens are those of a model without states', async () => {
  const options = { tokens: PROMPT, maxNewTokens: 40 }
  const plain = await generateText(hashModel({ vocab: 32 }), options)
  expect((await generateText(model(), options)).ids).toEqual(plain.ids)
  expect((await generateText(model(), { ...options, beams: { count: 3 } })).ids).toEqual(
    (await generateText(hashModel({ vocab: 32 }), { ...options, beams: { count: 3 } })).ids,
  )
})

test('the same prompt again computes its last row only', async () => {
  const lm = model()
  await using cache = new PrefixCache(lm)
  const first = await generateText(lm, { tokens: PROMPT, maxNewTokens: 20, cache })
  const second = await generateText(lm, { tokens: PROMPT, maxNewTokens: 20, cache })
  expect(second.statistics.reusedTokens).toBe(599)
  expect(second.ids).toEqual(first.ids)
})

test("a chat's next turn computes what is new", async () => {
  const lm = model()
  await using cache = new PrefixCache(lm)
  const first = await generateText(lm, { tokens: PROMPT, maxNewTokens: 20, cache })
  const tokens = [...PROMPT, ...first.ids, 3, 4]
  const second = await generateText(lm, { tokens, maxNewTokens: 5, cache })
  expect(second.statistics.reusedTokens).toBe(619)
  expect(second.ids).toEqual((await generateText(model(), { tokens, maxNewTokens: 5 })).ids)
})

test('a prompt that diverges early is computed from the nearest state before, and gives what a fresh cache gives', async () => {
  const lm = model()
  await using cache = new PrefixCache(lm)
  await generateText(lm, { tokens: PROMPT, maxNewTokens: 20, cache })
  const tokens = [...PROMPT.slice(0, 300), 7, 8, 9]
  const second = await generateText(lm, { tokens, maxNewTokens: 5, cache })
  expect(second.statistics.reusedTokens).toBe(256)
  expect(second.ids).toEqual((await generateText(model(), { tokens, maxNewTokens: 5 })).ids)
  expect(lm.openCaches.size).toBe(1)
})

test('a generation that fails leaves the cache as it was, however far it had come', async () => {
  let fails = false
  const lm = hashModel({
    vocab: 32,
    isRecurrent: true,
    onStep: (call) => {
      if (fails && call > 140) throw new Error('enough')
    },
  })
  await using cache = new PrefixCache(lm)
  const first = await generateText(lm, { tokens: PROMPT, maxNewTokens: 20, cache })
  fails = true
  const tokens = [...PROMPT, ...first.ids, 3]
  await expect(generateText(lm, { tokens, maxNewTokens: 200, cache })).rejects.toThrow('enough')
  fails = false
  expect(Array.from(cache.tokens)).toEqual([...PROMPT, ...first.ids.slice(0, -1)])
  const again = await generateText(lm, { tokens, maxNewTokens: 5, cache })
  expect(again.statistics.reusedTokens).toBe(619)
  expect(again.ids).toEqual((await generateText(model(), { tokens, maxNewTokens: 5 })).ids)
})
