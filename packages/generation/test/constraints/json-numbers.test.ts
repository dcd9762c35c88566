import { jsonSchemaConstraint } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { accepts } from './small-vocabulary.ts'

/** Numbers written out with up to two digits before and three behind the point. */
const DECIMALS = Array.from({ length: 100 }, (_, whole) => whole).flatMap((whole) =>
  ['', '.0', '.1', '.5', '.9', '.05', '.25', '.50', '.99', '.125', '.250', '.999'].flatMap((fraction) => [
    `${whole}${fraction}`,
    `-${whole}${fraction}`,
  ]),
)

test.each([
  { minimum: 3, maximum: 42 },
  { minimum: -7, maximum: 9 },
  { exclusiveMinimum: 0 },
  { exclusiveMinimum: 0, exclusiveMaximum: 1 },
  { minimum: -12.5, exclusiveMaximum: -0.25 },
  { minimum: 0.125, maximum: 0.25 },
  { maximum: -10 },
  { minimum: 9, exclusiveMinimum: 9, maximum: 11.99 },
  { minimum: 1.05 },
])(
  'numbers within %o are those that compare so',
  (bounds: { minimum?: number; maximum?: number; exclusiveMinimum?: number; exclusiveMaximum?: number }) => {
    const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = bounds
    const isWithin = (x: number) => x >= minimum && x <= maximum && x > exclusiveMinimum && x < exclusiveMaximum
    const numbers = jsonSchemaConstraint({ type: 'number', ...bounds })
    // bounds that no integer lies within are refused
    const hasIntegers = DECIMALS.some((text) => !text.includes('.') && isWithin(Number(text)))
    const integers = jsonSchemaConstraint(hasIntegers ? { type: 'integer', ...bounds } : { type: 'null' })
    for (const text of DECIMALS) {
      if (Object.is(Number(text), -0)) continue // zero is written without a sign here
      expect(accepts(numbers, text), text).toBe(isWithin(Number(text)))
      expect(accepts(integers, text), text).toBe(isWithin(Number(text)) && !text.includes('.'))
    }
  },
)

test('multiples of a whole number are told apart digit by digit', () => {
  const constraint = jsonSchemaConstraint({ type: 'integer', multipleOf: 7, minimum: -100, maximum: 300 })
  for (let i = -320; i <= 320; i++) expect(accepts(constraint, String(i)), `${i}`).toBe(i % 7 === 0 && i >= -100 && i <= 300)
})

test('no leading zeros, signs, bare points, or numbers beyond doubles', () => {
  const number = jsonSchemaConstraint({ type: 'number' })
  for (const text of ['01', '+1', '.5', '1.', '1e', '--1', '1e400', '0x1', 'NaN', '1e+', ''])
    expect(accepts(number, text), text).toBe(false)
  for (const text of ['0', '-0', '10', '1.5', '-2.25e-7', '1E+30', '123456789012345']) expect(accepts(number, text), text).toBe(true)
})

test('the bounds of safe integers leave all integers of 15 digits', () => {
  const constraint = jsonSchemaConstraint({ type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
  for (const text of ['0', '-999999999999999', '999999999999999']) expect(accepts(constraint, text)).toBe(true)
})

test('bounds that contradict each other, or that no number of 15 digits reaches, are refused', () => {
  for (const bounds of [
    { minimum: 3, maximum: 2 },
    { minimum: 2, exclusiveMaximum: 2 },
    { minimum: 1e15 },
    { maximum: -1e300 },
    { minimum: 2.1, maximum: 2.9, multipleOf: 1 },
  ]) {
    expect(() => jsonSchemaConstraint({ type: 'number', ...bounds })).toThrow(/nothing is valid by/)
  }
  expect(() => jsonSchemaConstraint({ type: 'number', minimum: 0.1 + 0.2 })).toThrow(/at most 15 digits/)
})
