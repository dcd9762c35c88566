/** What comes out of a worker is what comes out in one thread: pieces, scores, and the bits of cached rows. */
import {
  type BatchPiece,
  type Constraint,
  ConstraintError,
  choiceConstraint,
  type GenerationPiece,
  generate,
  generateBatch,
  grammarConstraint,
  jsonConstraint,
  jsonSchemaConstraint,
  PrefixCache,
  type PromptInput,
  regexConstraint,
  type SingleGenerationOptions,
  score,
} from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { promptLookup } from '@foretoken/speculative'
import { type ConstraintChoice, type HostedGenerationOptions, type HostedModel, SnapshotError } from '@foretoken/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelKey, snapshotToBytes } from '../src/host/snapshot-bytes.ts'
import { hosted, inThread } from './both-sides.ts'
import { tinyModel } from './tiny-model.ts'

let lm: CausalLM
let remote: HostedModel
beforeAll(async () => {
  lm = await inThread()
  remote = await hosted()
}, 60_000)
afterAll(async () => {
  await lm[Symbol.asyncDispose]()
  await remote[Symbol.asyncDispose]()
})

const messages = [{ role: 'user', content: 'Hello, grüße, 👋!' }]
const sampling = { kind: 'sample', temperature: 1.2, topP: 0.95, seed: 7 } as const

test.each<readonly [string, HostedGenerationOptions & SingleGenerationOptions & PromptInput]>([
  ['ids', { tokens: [1, 72, 105], maxNewTokens: 24 }],
  ['an array of ids', { tokens: Int32Array.of(1, 72, 105), maxNewTokens: 3 }],
  ['text', { prompt: 'Once upon a time', maxNewTokens: 12 }],
  ['messages, sampled', { messages, maxNewTokens: 24, sampling }],
  ['another sequence of noise', { messages, maxNewTokens: 8, sampling, sequence: 3 }],
  ['log-probabilities', { prompt: 'A', maxNewTokens: 6, topLogProbabilities: 3 }],
  [
    'penalties, biases and forbidden words',
    { prompt: 'A', maxNewTokens: 12, repetitionPenalty: 1.3, logitBias: new Map([[65, 5]]), badWords: [[66]] },
  ],
  ['beams', { prompt: 'A', maxNewTokens: 6, beams: { count: 3 } }],
  ['no room', { prompt: 'A', maxNewTokens: 0 }],
])('%s give the same pieces', async (_, options) => {
  expect(await contents(remote.generate(options))).toEqual(await contents(generate(lm, options)))
})

test('a stop string cuts the text at the same place', async () => {
  const options = { prompt: 'Once upon a time', maxNewTokens: 40, sampling, skipSpecialTokens: false }
  const whole = (await contents(generate(lm, options))).map(({ text }) => text).join('')
  const stopStrings = [whole.slice(10, 12)]
  const pieces = await contents(remote.generate({ ...options, stopStrings }))
  expect(pieces).toEqual(await contents(generate(lm, { ...options, stopStrings })))
  expect(pieces.at(-1)?.finishReason).toBe('stop-string')
})

test('drafts by name give the same ids, and the statistics say whose they were', async () => {
  const options = { tokens: Int32Array.from({ length: 60 }, (_, i) => 65 + (i % 5)), maxNewTokens: 40 }
  const plain = await contents(generate(lm, { ...options, speculate: 'off' }))
  const drafted = await remote.generateText({ ...options, speculate: { drafter: 'prompt-lookup', draftTokens: 4, budget: false } })
  expect(drafted.ids).toEqual(plain.flatMap(({ ids }) => ids))
  expect(drafted.statistics.speculation?.drafter).toBe(promptLookup().name)
  for (const drafter of ['suffix', 'ngram-pool', 'token-recycling'] as const) {
    expect((await remote.generateText({ ...options, speculate: { drafter } })).ids).toEqual(drafted.ids)
  }
})

test('outputs keep a constraint, as in one thread', async () => {
  const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'], additionalProperties: false }
  const choices: readonly (readonly [ConstraintChoice, Constraint])[] = [
    [{ kind: 'json', onlyObjects: true }, jsonConstraint({ onlyObjects: true })],
    [{ kind: 'json-schema', schema, whitespace: 'none' }, jsonSchemaConstraint(schema, { whitespace: 'none' })],
    [{ kind: 'regex', pattern: '[0-9]{3}' }, regexConstraint('[0-9]{3}')],
    [{ kind: 'grammar', grammar: 'root ::= "yes" | "no"' }, grammarConstraint('root ::= "yes" | "no"')],
    [{ kind: 'choice', texts: ['red', 'green'] }, choiceConstraint(['red', 'green'])],
  ]
  const options = { prompt: 'Once', maxNewTokens: 16, sampling }
  for (const [choice, constraint] of choices) {
    const own = await contents(generate(lm, { ...options, constraint }))
    expect(await contents(remote.generate({ ...options, constraint: choice }))).toEqual(own)
  }
  const { text } = await remote.generateText({ ...options, constraint: { kind: 'choice', texts: ['red', 'green'] } })
  expect(['red', 'green']).toContain(text)
  const wrong = remote.generateText({ prompt: 'x', constraint: { kind: 'regex', pattern: '(' } })
  await expect(wrong).rejects.toThrow(ConstraintError)
})

test('a batch gives the same pieces row by row', async () => {
  const prompts: PromptInput[] = [{ prompt: 'A' }, { prompt: 'Another one' }, { messages }]
  const options = { maxNewTokens: 10, sampling }
  expect(await rows(remote.generateBatch(prompts, options))).toEqual(await rows(generateBatch(lm, prompts, options)))
})

test('scores are the same bits', async () => {
  const text = { prompt: 'The quick brown fox', topK: 2, rows: 8 }
  expect(await remote.score(text)).toEqual(await score(lm, text))
})

test('a conversation computes only what is new, and holds the rows of one thread, bit for bit', async () => {
  await using cache = new PrefixCache(lm)
  await using conversation = await remote.openConversation()
  for (const options of [
    { messages, maxNewTokens: 9 },
    { messages: [...messages, { role: 'assistant', content: 'x' }], maxNewTokens: 4, sampling },
  ]) {
    const own = await contents(generate(lm, { ...options, cache }))
    const other: GenerationPiece[] = []
    for await (const piece of remote.generate({ ...options, conversation })) other.push(piece)
    expect(other.map(withoutTimes)).toEqual(own)
    expect(await conversation.tokens()).toEqual(cache.tokens)
    expect(await conversation.bytes()).toBe(cache.bytes)
  }
  expect(await conversation.snapshot()).toEqual(snapshotToBytes(cache.snapshot(), modelKey(lm)))
})

test('a branch goes its own way, and the one that it came from another', async () => {
  await using first = await remote.openConversation()
  const begun = await remote.generateText({ prompt: 'Once', maxNewTokens: 5, conversation: first })
  await using branch = await first.fork()
  const tokens = [...new TextEncoder().encode('Once'), ...begun.ids]
  const onFirst = await remote.generateText({ tokens: [...tokens, 70], maxNewTokens: 6, conversation: first })
  const onBranch = await remote.generateText({ tokens: [...tokens, 80, 81], maxNewTokens: 6, conversation: branch })
  expect(onBranch.statistics.reusedTokens).toBe(tokens.length - 1)
  expect(onFirst.ids).toEqual((await remote.generateText({ tokens: [...tokens, 70], maxNewTokens: 6 })).ids)
  expect(onBranch.ids).toEqual((await remote.generateText({ tokens: [...tokens, 80, 81], maxNewTokens: 6 })).ids)
})

test('a truncated conversation goes on from its new end', async () => {
  await using conversation = await remote.openConversation()
  const whole = await remote.generateText({ prompt: 'Once upon', maxNewTokens: 5, conversation })
  await conversation.truncate(4)
  expect([...(await conversation.tokens())]).toEqual([...new TextEncoder().encode('Once')])
  const again = await remote.generateText({ prompt: 'Once upon', maxNewTokens: 5, conversation })
  expect(again.ids).toEqual(whole.ids)
  expect(again.statistics.reusedTokens).toBe(4)
})

test('a snapshot goes on in another worker with the same rows and ids', async () => {
  await using conversation = await remote.openConversation()
  const begun = await remote.generateText({ prompt: 'Once upon', maxNewTokens: 5, conversation })
  const saved = await conversation.snapshot()
  await using later = await hosted()
  await using restored = await later.restore(saved)
  expect(await restored.snapshot()).toEqual(saved)
  const tokens = [...new TextEncoder().encode('Once upon'), ...begun.ids, 65]
  const next = await later.generateText({ tokens, maxNewTokens: 6, conversation: restored })
  expect(next.statistics.reusedTokens).toBe(tokens.length - 2)
  expect(next.ids).toEqual((await remote.generateText({ tokens, maxNewTokens: 6 })).ids)
})

test('a snapshot of another shape, of other weights, or of no rows at all is told apart', async () => {
  await using conversation = await remote.openConversation()
  const empty = await conversation.snapshot()
  await remote.generateText({ prompt: 'Once upon', maxNewTokens: 5, conversation })
  const saved = await conversation.snapshot()
  await using deeper = await hosted(tinyModel({ layers: 3 }))
  await expect(deeper.restore(saved)).rejects.toThrow(SnapshotError)
  await using other = await hosted(tinyModel({ seed: 2 }))
  await expect(other.restore(saved)).rejects.toThrow(/rows of the same weights/)
  await expect(other.restore(saved.slice(0, -8))).rejects.toThrow(SnapshotError)
  await using restored = await other.restore(empty)
  expect(await restored.tokens()).toHaveLength(0)
})

test('the tokenizer of the worker is the one of the model', async () => {
  const { tokenizer } = remote
  const text = 'grüße 👋'
  expect(await tokenizer?.encode(text)).toEqual(lm.tokenizer?.encode(text))
  expect(await tokenizer?.decode([72, 105])).toBe('Hi')
  expect(await tokenizer?.render(messages)).toBe(lm.tokenizer?.chatTemplate?.render(messages))
  expect(await tokenizer?.encodeMessages(messages)).toEqual(lm.tokenizer?.chatTemplate?.encode(messages))
  const view = (await tokenizer?.view(text)) ?? []
  const bytes = new Uint8Array(view.flatMap((each) => [...each.bytes]))
  expect(new TextDecoder().decode(bytes)).toBe(text)
  expect(view.map(({ from, to }) => to - from)).toEqual(view.map((each) => each.bytes.length))
  expect(view.at(-1)?.to).toBe(bytes.length)
  const special = await tokenizer?.viewIds([1, 9999])
  expect(special).toEqual([
    { id: 1, token: '<s>', isSpecial: true, bytes: new TextEncoder().encode('<s>'), from: 0, to: 3 },
    { id: 9999, isSpecial: false, bytes: new Uint8Array(), from: 3, to: 3 },
  ])
})

test('what the model is, is told', async () => {
  expect(remote.config).toEqual(lm.config)
  expect(remote.capabilities).toEqual(lm.capabilities)
  expect(remote.generationDefaults).toEqual(lm.generationDefaults)
  expect(remote.plan.formats).toEqual(lm.plan.formats)
  expect((await remote.memory()).weightsBytes).toBe(lm.memory().weightsBytes)
})

/** Times are not the same twice. */
function withoutTimes<Piece extends GenerationPiece>({ statistics, ...piece }: Piece) {
  if (statistics === undefined) return piece
  const { promptTokens, reusedTokens, newTokens } = statistics
  return { ...piece, counts: { promptTokens, reusedTokens, newTokens } }
}

async function contents(pieces: AsyncIterable<GenerationPiece>) {
  const all: ReturnType<typeof withoutTimes<GenerationPiece>>[] = []
  for await (const piece of pieces) all.push(withoutTimes(piece))
  return all
}

async function rows(pieces: AsyncIterable<BatchPiece>) {
  const all: ReturnType<typeof withoutTimes<BatchPiece>>[] = []
  for await (const piece of pieces) all.push(withoutTimes(piece))
  return all
}
