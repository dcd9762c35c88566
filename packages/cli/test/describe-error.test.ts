import { ArgumentError } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { describeError } from '../src/describe-error.ts'

test('an error that is thrown on purpose is its message alone', () => {
  const error = new ArgumentError({ field: 'topK', found: '0', expected: 'a whole number >= 1' })
  expect(describeError(error)).toBe('error: topK: found 0, expected a whole number >= 1')
})

test('an error of the system is its message alone', () => {
  expect(describeError(Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }))).toBe('error: ENOENT: no such file')
})

test('an error that nobody expected comes with its stack', () => {
  expect(describeError(new RangeError('odd'))).toMatch(/^error: RangeError: odd\n +at /)
  expect(describeError(Object.assign(new TypeError('wrong call'), { code: 'ERR_INVALID_ARG_TYPE' }))).toMatch(/\n +at /)
})

test('names out of files cannot steer the terminal', () => {
  expect(describeError(new ArgumentError({ tensor: 'a\u001b[2J', found: 'x', expected: 'y' }))).not.toContain('\u001b')
})
