import { expect, test } from 'vitest'
import { describeFailure } from '../../src/lib/describe-failure.ts'
import { WrongFilesError } from '../../src/lib/playground-errors.ts'

test('an error is known by its code, so that one from a worker is known as well', () => {
  const failure = describeFailure(new WrongFilesError({ found: 'cat.png', expected: 'a model' }))
  expect(failure.title).toBe('These files are not a model')
  expect(failure.detail).toBe('found cat.png, expected a model')
  expect(describeFailure(Object.assign(new Error('x'), { code: 'wrong-files' })).title).toBe(failure.title)
})

test('a browser without room says so', () => {
  expect(describeFailure(new DOMException('full', 'QuotaExceededError')).title).toBe('There is no room to keep the model')
})

test('a network that is gone is told apart', () => {
  expect(describeFailure(new TypeError('Failed to fetch')).title).toBe('The model cannot be reached')
})

test('anything else is shown as it is', () => {
  expect(describeFailure('odd')).toEqual({ title: 'That did not work', detail: 'odd', advice: '' })
})
