import { expect, test } from 'vitest'
import { labelled, runAnswer } from '../../src/lib/answer-run.ts'
import type { AnswerRequest } from '../../src/lib/model-session.ts'
import { tokenLabels } from '../../src/lib/token-labels.ts'
import type { TokenRecord } from '../../src/lib/token-record.ts'
import { standInSession } from '../stand-in-session.ts'

const request = (signal = new AbortController().signal): AnswerRequest => ({
  messages: [{ role: 'user', content: 'why is it so' }],
  sampling: { kind: 'greedy' },
  sequence: 0,
  maxNewTokens: 20,
  topLogProbabilities: 3,
  speculate: false,
  signal,
  onPrefill: () => undefined,
})

test('an answer is its tokens in order, with labels of all alternatives in the end', async () => {
  const session = standInSession({ answer: 'because of it' })
  const labels = tokenLabels(session)
  const tokens: TokenRecord[] = []
  const end = await runAnswer(await session.openBranch(), request(), labels, (token) => tokens.push(token))
  await labels.settled()
  expect(end.ending).toBe('stop-token')
  expect(tokens.map(({ text }) => text).join('')).toBe('because of it')
  const whole = labelled(tokens, labels)
  expect(whole.map(({ label }) => label)).toEqual(['because', ' of', ' it', '<end>'])
  expect(whole.every(({ alternatives }) => alternatives.length === 3 && alternatives.every(({ label }) => label !== ''))).toBe(true)
})

test('an answer that is stopped keeps what came before, and is no error', async () => {
  const session = standInSession()
  const tokens: TokenRecord[] = []
  const end = await runAnswer(
    await session.openBranch(),
    request(),
    tokenLabels(session),
    (token) => tokens.push(token),
    () => tokens.length === 5,
  )
  expect(end).toEqual({ ending: 'stopped' })
  expect(tokens).toHaveLength(5)
})

test('a prompt that is stopped while it is read is no error either', async () => {
  const session = standInSession()
  const abort = new AbortController()
  abort.abort()
  expect(await runAnswer(await session.openBranch(), request(abort.signal), tokenLabels(session), () => undefined)).toEqual({
    ending: 'stopped',
  })
})

test('an error of the model is thrown', async () => {
  const session = standInSession()
  const branch = await session.openBranch()
  const broken = {
    ...branch,
    generate: async function* () {
      yield* branch.generate({ ...request(), maxNewTokens: 1 })
      throw new RangeError('no memory')
    },
  }
  const forever = { ...broken, generate: () => withoutEnd(broken.generate()) }
  await expect(runAnswer(forever, request(), tokenLabels(session), () => undefined)).rejects.toThrow('no memory')
})

test('labels that cannot be had leave the answer whole', async () => {
  const session = { ...standInSession(), spell: () => Promise.reject(new Error('gone')) }
  const labels = tokenLabels(session)
  const tokens: TokenRecord[] = []
  await runAnswer(await session.openBranch(), request(), labels, (token) => tokens.push(token))
  await labels.settled()
  expect(tokens).toHaveLength(20)
})

test('each label is asked for once', async () => {
  const session = standInSession()
  let asked = 0
  const labels = tokenLabels({
    spell: (ids) => {
      asked += ids.length
      return session.spell(ids)
    },
  })
  labels.request([1, 2, 2, 1])
  labels.request([2, 3])
  await labels.settled()
  labels.request([1, 2, 3])
  await labels.settled()
  expect(asked).toBe(3)
})

/** The pieces, none of which says that it is the last. */
async function* withoutEnd<T extends object>(pieces: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const piece of pieces) yield { ...piece, finishReason: undefined }
}
