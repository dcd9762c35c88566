import { ArgumentError, ForetokenError, ShapeError } from '@foretoken/tensor'
import { ChatTemplateError, TokenizerError } from '@foretoken/tokenizers'
import { HubNetworkError } from '@foretoken/weights/hub'
import { SnapshotError } from '@foretoken/worker'
import { expect, test } from 'vitest'
import { receiveError } from '../../src/messages/received-error.ts'
import { sendError } from '../../src/messages/sent-error.ts'

/** As a message makes it. */
const crossed = (error: unknown) => receiveError(structuredClone(sendError(error)))

test('an error is of its class again, with everything it said', async () => {
  const cause = new ShapeError({ field: 'keys', found: '[1]', expected: '[2]' })
  const error = new SnapshotError({ file: 'a', tensor: 'b', offset: 3, field: 'c', found: 'this', expected: 'that' }, { cause })
  const other = await crossed(error)
  expect(other).toBeInstanceOf(SnapshotError)
  expect(other).toBeInstanceOf(ForetokenError)
  expect(other).toBeInstanceOf(Error)
  expect(other).toEqual(error)
  expect(other).toMatchObject({
    name: 'SnapshotError',
    code: 'snapshot',
    found: 'this',
    expected: 'that',
    where: error.where,
    stack: error.stack,
  })
  expect(other).toHaveProperty('cause', cause)
  expect(other).toHaveProperty('cause.code', 'shape')
})

test('an error with fields of its own keeps them', async () => {
  const other = await crossed(new ChatTemplateError('refused', 'two system messages', 'one'))
  expect(other).toBeInstanceOf(ChatTemplateError)
  expect(other).toBeInstanceOf(TokenizerError)
  expect(other).toMatchObject({ reason: 'refused', found: 'two system messages' })
})

test('a class that shares the code of its base is told apart', async () => {
  const other = await crossed(new HubNetworkError({ url: 'https://example.org', found: 'a', expected: 'b', advice: 'Wait', status: 503 }))
  expect(other).toBeInstanceOf(HubNetworkError)
  expect(other).toMatchObject({ code: 'network', status: 503, advice: 'Wait' })
})

test('an error of a class that is not known is one of ours with its code and its fields', async () => {
  class StrangeError extends ForetokenError {
    readonly code = 'strange'
    readonly depth = 3
  }
  const other = await crossed(new StrangeError({ field: 'x', found: 'a', expected: 'b' }))
  expect(other).toBeInstanceOf(ForetokenError)
  expect(other).not.toBeInstanceOf(StrangeError)
  expect(other).toMatchObject({
    name: 'StrangeError',
    code: 'strange',
    depth: 3,
    found: 'a',
    where: { field: 'x' },
    message: 'x: found a, expected b',
  })
})

test('errors of the language and exceptions of the platform are what they were', async () => {
  expect(await crossed(new TypeError('no'))).toEqual(new TypeError('no'))
  expect(await crossed(new RangeError('far'))).toBeInstanceOf(RangeError)
  const { reason } = AbortSignal.abort()
  expect(await crossed(reason)).toBeInstanceOf(DOMException)
  expect(await crossed(reason)).toMatchObject({ name: 'AbortError', message: reason.message })
})

test('other things that were thrown cross as they are, or as their text', async () => {
  expect(await crossed('stop')).toBe('stop')
  expect(await crossed({ why: 1 })).toEqual({ why: 1 })
  expect(await crossed(() => undefined)).toMatch(/=>/)
})

test('fields that cannot be sent are left out, and causes that go in circles end', async () => {
  const error = new ArgumentError({ found: 'a', expected: 'b' })
  Object.assign(error, { callback: () => undefined, self: 1 })
  Object.defineProperty(error, 'cause', { value: error })
  const other = await crossed(error)
  expect(other).toMatchObject({ code: 'argument', self: 1 })
  expect(other).not.toHaveProperty('callback')
})
