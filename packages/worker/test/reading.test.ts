/** A reader that stops, turns away, or was never there. */
import { CacheBusyError, ContextLengthError, generate, PrefixCache } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { ArgumentError, DisposedError } from '@foretoken/tensor'
import { type HostedModel, UnsendableError } from '@foretoken/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hosted, inThread, workerOfSources } from './both-sides.ts'
import { tinyModel } from './tiny-model.ts'

let lm: CausalLM
let remote: HostedModel
const pieceTimes: number[] = []
beforeAll(async () => {
  lm = await inThread()
  remote = await hosted(tinyModel(), { worker: await watched() })
}, 60_000)
afterAll(async () => {
  await lm[Symbol.asyncDispose]()
  await remote[Symbol.asyncDispose]()
})

const prompt = { prompt: 'Once upon', stopTokens: [], speculate: 'off' } as const
const promptTokens = 'Once upon'.length

test('leaving the loop ends the generation, and the conversation holds what one thread would hold', async () => {
  await using conversation = await remote.openConversation()
  await using cache = new PrefixCache(lm)
  for (const [pieces, reader] of [
    [remote.generate({ ...prompt, maxNewTokens: 500, conversation }), 'remote'],
    [generate(lm, { ...prompt, maxNewTokens: 500, cache }), 'own'],
  ] as const) {
    let read = 0
    for await (const { ids } of pieces) {
      expect(ids, reader).toHaveLength(1)
      if (++read === 3) break
    }
  }
  expect(await conversation.tokens()).toEqual(cache.tokens)
  expect(await conversation.tokens()).toHaveLength(promptTokens + 2)
})

test('the worker waits for a reader that reads no further', async () => {
  pieceTimes.length = 0
  const pieces = remote.generate({ ...prompt, maxNewTokens: 500 })[Symbol.asyncIterator]()
  await pieces.next()
  await remote.score({ prompt: 'Something else takes its turn meanwhile', rows: 1 })
  expect(pieceTimes).toHaveLength(1 + 8)
  await pieces.return?.()
})

test('nothing is computed before the first piece is asked for', async () => {
  pieceTimes.length = 0
  await using conversation = await remote.openConversation()
  const pieces = remote.generate({ ...prompt, conversation })[Symbol.asyncIterator]()
  await remote.memory()
  await pieces.return?.()
  expect(await conversation.tokens()).toHaveLength(0)
  expect(pieceTimes).toHaveLength(0)
})

test('an abort ends the generation with its own reason, and the conversation is as before', async () => {
  await using conversation = await remote.openConversation()
  await remote.generateText({ ...prompt, maxNewTokens: 2, conversation })
  const before = await conversation.tokens()
  const controller = new AbortController()
  const reason = { why: 'enough' }
  let read = 0
  const reading = async () => {
    for await (const _ of remote.generate({ ...prompt, maxNewTokens: 1000, conversation, signal: controller.signal })) {
      if (++read === 3) controller.abort(reason)
    }
  }
  await expect(reading()).rejects.toBe(reason)
  expect(read).toBe(3)
  expect(await conversation.tokens()).toEqual(before)
  expect((await remote.generateText({ ...prompt, maxNewTokens: 2, conversation })).ids).toHaveLength(2)
})

test('an abort that finds all pieces computed and unread undoes them as well', async () => {
  await using conversation = await remote.openConversation()
  const controller = new AbortController()
  const pieces = remote.generate({ ...prompt, maxNewTokens: 4, conversation, signal: controller.signal })[Symbol.asyncIterator]()
  await pieces.next()
  await remote.memory()
  controller.abort()
  await expect(pieces.next()).rejects.toBe(controller.signal.reason)
  expect(await conversation.tokens()).toHaveLength(0)
})

test('an abort after the last piece was read changes nothing', async () => {
  await using conversation = await remote.openConversation()
  const controller = new AbortController()
  for await (const piece of remote.generate({ ...prompt, maxNewTokens: 4, conversation, signal: controller.signal })) {
    if (piece.finishReason !== undefined) setTimeout(() => controller.abort())
  }
  expect(await conversation.tokens()).toHaveLength(promptTokens + 3)
})

test('an abort during the prompt ends it between two steps', async () => {
  const controller = new AbortController()
  const reason = new Error('changed my mind')
  const done: number[] = []
  const text = 'x'.repeat(1500)
  const scoring = remote.score({
    prompt: text,
    rows: 1,
    signal: controller.signal,
    onProgress: (progress) => {
      done.push(progress.done)
      if (progress.done === 3) controller.abort(reason)
    },
  })
  await expect(scoring).rejects.toBe(reason)
  expect(done.at(-1)).toBeLessThan(1500)
})

test('an abort before anything was sent sends nothing', async () => {
  pieceTimes.length = 0
  await expect(remote.generateText({ ...prompt, signal: AbortSignal.abort('no') })).rejects.toBe('no')
  await expect(remote.score({ prompt: 'x', signal: AbortSignal.abort('no') })).rejects.toBe('no')
  expect(pieceTimes).toHaveLength(0)
})

test('the progress of a prompt is told', async () => {
  const done: number[] = []
  await remote.generateText({ ...prompt, maxNewTokens: 1, prefillRows: 3, onPrefill: (progress) => done.push(progress.done) })
  expect(done).toEqual([3, 6, 9])
})

test('generations run side by side, each with its own pieces', async () => {
  const prompts = ['A', 'Another', 'A third one', 'x'.repeat(300)]
  const alone: (readonly number[])[] = []
  for (const each of prompts) alone.push((await remote.generateText({ prompt: each, maxNewTokens: 12 })).ids)
  const together = await Promise.all(prompts.map(async (each) => (await remote.generateText({ prompt: each, maxNewTokens: 12 })).ids))
  expect(together).toEqual(alone)
})

test('a conversation that a generation writes to refuses a second one, and everything else that would disturb it', async () => {
  await using conversation = await remote.openConversation()
  const pieces = remote.generate({ ...prompt, maxNewTokens: 500, conversation })[Symbol.asyncIterator]()
  await pieces.next()
  await expect(remote.generateText({ ...prompt, conversation })).rejects.toThrow(CacheBusyError)
  await expect(conversation.fork()).rejects.toThrow(CacheBusyError)
  await expect(conversation.truncate(0)).rejects.toThrow(CacheBusyError)
  await expect(conversation.snapshot()).rejects.toThrow(CacheBusyError)
  await pieces.return?.()
  await using branch = await conversation.fork()
  expect(await branch.tokens()).toEqual(await conversation.tokens())
})

test('wrong options are the errors of one thread', async () => {
  await expect(remote.generateText({ prompt: 'x', maxNewTokens: -1 })).rejects.toThrow(ArgumentError)
  await expect(remote.generateText({ prompt: 'x', sampling: { kind: 'sample', topP: 2 } })).rejects.toMatchObject({
    code: 'argument',
    where: { field: 'sampling.topP' },
  })
  await expect(remote.generateText({ tokens: [1, 300] })).rejects.toMatchObject({ where: { field: 'tokens[1]' } })
  await expect(remote.generateText({ prompt: 'x'.repeat(3000) })).rejects.toThrow(ContextLengthError)
  const unknown = { prompt: 'x', maxNewTokns: 3 }
  await expect(remote.generateText(unknown)).rejects.toMatchObject({ code: 'argument', where: { field: 'maxNewTokns' } })
  const drafter = JSON.parse('{ "drafter": "crystal-ball" }')
  await expect(remote.generateText({ prompt: 'x', speculate: drafter })).rejects.toMatchObject({
    code: 'argument',
    where: { field: 'speculate' },
  })
})

test('functions are refused at once, with their place', () => {
  const processor = { name: 'mine', follow: () => ({}) }
  const options = { prompt: 'x', processors: [processor] }
  expect(() => remote.generate(options)).toThrow(UnsendableError)
  expect(() => remote.generate(options)).toThrow('options.processors[0].follow')
  const clock = { prompt: 'x', maxNewTokens: 1, clock: () => 0 }
  expect(() => remote.generate(clock)).toThrow('options.clock')
  expect(() => remote.generateBatch([{ prompt: 'x' }], clock)).toThrow('options.clock')
})

test('a conversation belongs to its model, and to nobody after its disposal', async () => {
  await using other = await hosted(tinyModel({ seed: 2 }))
  await using conversation = await remote.openConversation()
  expect(() => other.generate({ prompt: 'x', conversation })).toThrow(ArgumentError)
  const gone = await remote.openConversation()
  await gone[Symbol.asyncDispose]()
  await gone[Symbol.asyncDispose]()
  await expect(gone.tokens()).rejects.toThrow(DisposedError)
  expect(() => remote.generate({ prompt: 'x', conversation: gone })).toThrow(DisposedError)
})

test('conversations that are disposed of give their rows back', async () => {
  const before = (await remote.memory()).cacheBytes
  const conversation = await remote.openConversation()
  await remote.generateText({ ...prompt, maxNewTokens: 2, conversation })
  expect((await remote.memory()).cacheBytes).toBeGreaterThan(before)
  await conversation[Symbol.asyncDispose]()
  expect((await remote.memory()).cacheBytes).toBe(before)
})

test('two models side by side answer each with their own weights', async () => {
  await using other = await hosted(tinyModel({ seed: 2 }))
  await using otherLm = await inThread({ seed: 2 })
  const options = { ...prompt, maxNewTokens: 16 }
  const [mine, theirs] = await Promise.all([remote.generateText(options), other.generateText(options)])
  const own: number[] = []
  for await (const { ids } of generate(otherLm, options)) own.push(...ids)
  expect(theirs.ids).toEqual(own)
  expect(theirs.ids).not.toEqual(mine.ids)
})

/** A worker whose pieces are counted as they arrive. */
async function watched() {
  const make = await workerOfSources()
  return () => {
    const worker = make()
    const count = (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'piece')
        pieceTimes.push(performance.now())
    }
    if ('on' in worker && typeof worker.on === 'function') worker.on('message', count)
    else if (worker instanceof EventTarget) worker.addEventListener('message', (event) => count('data' in event ? event.data : undefined))
    return worker
  }
}
