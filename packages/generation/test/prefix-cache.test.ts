import { CacheBusyError, generate, generateText, PrefixCache } from '@foretoken/generation'
import { ArgumentError, ShapeError } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { byteTokenizer } from './fakes/byte-tokenizer.ts'
import { countingModel, fakeModel, hashModel, oneHot, tokensIn, uniformModel } from './fakes/fake-model.ts'

const rowsIn = (cache: PrefixCache) => Array.from(cache.tokens)

test('after a generation the cache holds the prompt and all new tokens but the last, whose row was never computed', async () => {
  const lm = countingModel({ vocab: 16 })
  await using cache = new PrefixCache(lm)
  await generateText(lm, { tokens: [1, 2], maxNewTokens: 3, cache })
  expect(rowsIn(cache)).toEqual([1, 2, 3, 4])
})

test('the next prompt is computed from where it differs, and gives what a fresh cache gives', async () => {
  const lm = hashModel({ vocab: 32 })
  await using cache = new PrefixCache(lm)
  const first = await generateText(lm, { tokens: [5, 6, 7], maxNewTokens: 4, cache })
  const prompt = [5, 6, 7, ...first.ids, 9, 10]
  lm.steps.length = 0
  const second = await generateText(lm, { tokens: prompt, maxNewTokens: 4, cache })
  expect(lm.steps[0]).toBe(3) // the last new token, 9 and 10
  expect(second.statistics.reusedTokens).toBe(6)
  expect(second.ids).toEqual((await generateText(hashModel({ vocab: 32 }), { tokens: prompt, maxNewTokens: 4 })).ids)
})

test('a prompt that diverges keeps the common prefix, and gives what a fresh cache gives', async () => {
  const lm = hashModel({ vocab: 32 })
  await using cache = new PrefixCache(lm)
  await generateText(lm, { tokens: [5, 6, 7, 8], maxNewTokens: 4, cache })
  const second = await generateText(lm, { tokens: [5, 6, 1, 2], maxNewTokens: 4, cache })
  expect(second.statistics.reusedTokens).toBe(2)
  expect(second.ids).toEqual((await generateText(hashModel({ vocab: 32 }), { tokens: [5, 6, 1, 2], maxNewTokens: 4 })).ids)
  expect(rowsIn(cache)).toEqual([5, 6, 1, 2, ...second.ids.slice(0, -1)])
  expect(lm.openCaches.size).toBe(1)
})

test('the same prompt again computes its last row only', async () => {
  const lm = hashModel({ vocab: 32 })
  await using cache = new PrefixCache(lm)
  const first = await generateText(lm, { tokens: [5, 6, 7], maxNewTokens: 4, cache })
  const second = await generateText(lm, { tokens: [5, 6, 7], maxNewTokens: 4, cache })
  expect(second.statistics.reusedTokens).toBe(2)
  expect(second.ids).toEqual(first.ids)
})

test("a chat's second turn prefills only what is new", async () => {
  const answer = (context: readonly number[]) => oneHot(259, context.at(-1) === 258 ? 65 : 256) // 'A', then the end token
  const lm = fakeModel({ vocab: 259, tokenizer: byteTokenizer(), logits: answer })
  await using cache = new PrefixCache(lm)
  const question = { role: 'user', content: 'one' }
  const first = await generateText(lm, { messages: [question], cache })
  const messages = [question, { role: 'assistant', content: first.text }, { role: 'user', content: 'two' }]
  const second = await generateText(lm, { messages, cache })
  expect(first.text).toBe('A')
  // <user> o n e <end> <model> A: the end token after A is known, but its row was not computed.
  expect(second.statistics).toMatchObject({ reusedTokens: 7, promptTokens: 14 })
})

test('a second generation on one cache is refused while the first is under way, and works after it', async () => {
  const lm = uniformModel({ vocab: 8 })
  await using cache = new PrefixCache(lm)
  const first = generate(lm, { tokens: [1], maxNewTokens: 3, cache })[Symbol.asyncIterator]()
  await first.next()
  expect(cache.isBusy).toBe(true)
  await expect(generateText(lm, { tokens: [1], maxNewTokens: 3, cache })).rejects.toMatchObject({ code: 'cache-busy' })
  expect(() => cache.clear()).toThrow(expect.objectContaining({ code: 'cache-busy' }))
  await first.return?.()
  expect(cache.isBusy).toBe(false)
  expect((await generateText(lm, { tokens: [1], maxNewTokens: 3, cache })).ids).toHaveLength(3)
})

test('leaving the loop early keeps the rows of what was generated', async () => {
  const lm = countingModel({ vocab: 16 })
  await using cache = new PrefixCache(lm)
  for await (const { ids } of generate(lm, { tokens: [1], maxNewTokens: 10, cache })) if (ids[0] === 4) break
  expect(rowsIn(cache)).toEqual([1, 2, 3])
  expect((await generateText(lm, { tokens: [1, 2, 3, 4], maxNewTokens: 1, cache })).statistics.reusedTokens).toBe(3)
})

test.each([
  ['goes on', [5, 6, 7, 8]],
  ['diverges', [5, 1, 1, 1, 1]],
  ['has nothing in common', [9, 9]],
])('an aborted generation leaves the cache as before when its prompt %s', async (_, tokens) => {
  const lm = hashModel({ vocab: 32 })
  await using cache = new PrefixCache(lm)
  await generateText(lm, { tokens: [5, 6, 7], maxNewTokens: 1, cache })
  expect(rowsIn(cache)).toEqual([5, 6, 7])
  const controller = new AbortController()
  const run = async () => {
    for await (const _piece of generate(lm, { tokens, maxNewTokens: 9, cache, signal: controller.signal })) controller.abort('enough')
  }
  await expect(run()).rejects.toBe('enough')
  expect(rowsIn(cache)).toEqual([5, 6, 7])
  expect(cache.isBusy).toBe(false)
  expect(Array.from(lm.openCaches, tokensIn)).toEqual([[5, 6, 7]])
  const after = await generateText(lm, { tokens: [5, 6, 7, 8], maxNewTokens: 5, cache })
  expect(after.statistics.reusedTokens).toBe(3)
  expect(after.ids).toEqual((await generateText(hashModel({ vocab: 32 }), { tokens: [5, 6, 7, 8], maxNewTokens: 5 })).ids)
})

test('a generation that fails leaves the cache as before', async () => {
  let isBroken = false
  const lm = fakeModel({ vocab: 4, logits: () => (isBroken ? [Number.NaN, 0, 0, 0] : [0, 1, 0, 0]) })
  await using cache = new PrefixCache(lm)
  await generateText(lm, { tokens: [2, 3], maxNewTokens: 2, cache })
  isBroken = true
  await expect(generateText(lm, { tokens: [2, 3, 1, 1], cache })).rejects.toMatchObject({ code: 'logits' })
  expect(rowsIn(cache)).toEqual([2, 3, 1])
})

test('clear forgets the rows', async () => {
  const lm = countingModel({ vocab: 16 })
  await using cache = new PrefixCache(lm)
  await generateText(lm, { tokens: [1, 2], maxNewTokens: 3, cache })
  cache.clear()
  expect(rowsIn(cache)).toEqual([])
  expect((await generateText(lm, { tokens: [1, 2], maxNewTokens: 3, cache })).statistics.reusedTokens).toBe(0)
})

test('a cache of another model is refused', async () => {
  const lm = countingModel({ vocab: 16 })
  await using cache = new PrefixCache(countingModel({ vocab: 16 }))
  await expect(generateText(lm, { tokens: [1], cache })).rejects.toMatchObject({ code: 'argument' })
})

test('use after disposal is refused, and disposal during a generation leaves nothing open', async () => {
  const lm = uniformModel({ vocab: 8 })
  const cache = new PrefixCache(lm)
  const running = generate(lm, { tokens: [1], maxNewTokens: 5, cache })[Symbol.asyncIterator]()
  await running.next()
  await cache[Symbol.asyncDispose]()
  await cache[Symbol.asyncDispose]()
  await expect(running.next()).rejects.toMatchObject({ code: 'disposed' })
  expect(lm.openCaches.size).toBe(0)
  expect(() => cache.tokens).toThrow(expect.objectContaining({ code: 'disposed' }))
  await expect(generateText(lm, { tokens: [1], cache })).rejects.toMatchObject({ code: 'disposed' })
})

test('a fork goes its own way: each holds its own tokens and gives what a fresh cache gives', async () => {
  const lm = hashModel({ vocab: 32 })
  await using cache = new PrefixCache(lm)
  const first = await generateText(lm, { tokens: [5, 6, 7], maxNewTokens: 4, cache })
  await using branch = cache.fork()
  const tokens = [5, 6, 7, ...first.ids, 9]
  const other = [5, 6, 7, ...first.ids, 11, 12]
  const one = await generateText(lm, { tokens, maxNewTokens: 4, cache })
  const two = await generateText(lm, { tokens: other, maxNewTokens: 4, cache: branch })
  expect(one.statistics.reusedTokens).toBe(6)
  expect(two.statistics.reusedTokens).toBe(6)
  expect(rowsIn(cache)).toEqual([...tokens, ...one.ids.slice(0, -1)])
  expect(rowsIn(branch)).toEqual([...other, ...two.ids.slice(0, -1)])
  expect(two.ids).toEqual((await generateText(hashModel({ vocab: 32 }), { tokens: other, maxNewTokens: 4 })).ids)
})

test('a truncated cache goes on from its new end', async () => {
  const lm = hashModel({ vocab: 32 })
  await using cache = new PrefixCache(lm)
  await generateText(lm, { tokens: [5, 6, 7, 8], maxNewTokens: 4, cache })
  cache.truncate(2)
  expect(rowsIn(cache)).toEqual([5, 6])
  const next = await generateText(lm, { tokens: [5, 6, 7, 8], maxNewTokens: 4, cache })
  expect(next.statistics.reusedTokens).toBe(2)
  expect(() => cache.truncate(100)).toThrow(ArgumentError)
})

test.each([false, true])('a snapshot brings its tokens and rows to another cache (recurrent layers: %s)', async (isRecurrent) => {
  const model = () => fakeModel({ vocab: 32, isRecurrent, logits: hashModel({ vocab: 32 }).logitsAfter })
  const lm = model()
  await using cache = new PrefixCache(lm)
  const first = await generateText(lm, { tokens: [5, 6, 7], maxNewTokens: 4, cache })
  const snapshot = structuredClone(cache.snapshot())
  const later = model()
  await using restored = new PrefixCache(later)
  await restored.restore(snapshot)
  expect(rowsIn(restored)).toEqual(rowsIn(cache))
  const tokens = [5, 6, 7, ...first.ids, 9]
  const next = await generateText(later, { tokens, maxNewTokens: 4, cache: restored })
  expect(next.statistics.reusedTokens).toBe(6)
  expect(next.ids).toEqual((await generateText(model(), { tokens, maxNewTokens: 4 })).ids)
})

test('a snapshot of another model, or one that contradicts itself, is refused and what was held stays', async () => {
  const lm = hashModel({ vocab: 32 })
  await using cache = new PrefixCache(lm)
  await generateText(lm, { tokens: [5, 6, 7], maxNewTokens: 2, cache })
  const snapshot = cache.snapshot()
  const [row] = snapshot.rows.rows
  if (row === undefined) throw new Error('a snapshot without layers')
  const wide = { kvHeads: 1, keyDim: 2, valueDim: 1 }
  await expect(cache.restore({ ...snapshot, rows: { ...snapshot.rows, layers: [wide] } })).rejects.toThrow(ShapeError)
  await expect(cache.restore({ ...snapshot, tokens: Int32Array.of(1) })).rejects.toThrow(ShapeError)
  const short = { keys: row.keys.subarray(1), values: row.values }
  await expect(cache.restore({ ...snapshot, rows: { ...snapshot.rows, rows: [short] } })).rejects.toThrow(ShapeError)
  expect(rowsIn(cache)).toEqual([5, 6, 7, ...snapshot.tokens.slice(3)])
  expect(lm.openCaches.size).toBe(1)
})

test('a cache that is being written to is neither forked nor truncated, saved or replaced', async () => {
  const lm = hashModel({ vocab: 32 })
  await using cache = new PrefixCache(lm)
  const empty = cache.snapshot()
  for await (const _ of generate(lm, { tokens: [5, 6, 7], maxNewTokens: 2, cache })) {
    expect(() => cache.fork()).toThrow(CacheBusyError)
    expect(() => cache.truncate(0)).toThrow(CacheBusyError)
    expect(() => cache.snapshot()).toThrow(CacheBusyError)
    await expect(cache.restore(empty)).rejects.toThrow(CacheBusyError)
  }
  expect(cache.fork().tokens).toEqual(cache.tokens)
})
