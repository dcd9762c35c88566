import { expOfNegative, logOf } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { minusLogOneMinus } from '../src/portable-math.ts'

const relative = (found: number, expected: number) => Math.abs(found - expected) / Math.abs(expected)

test('exp agrees with the engine to 1e-14 down to the least normal number', () => {
  for (let x = 0; x > -708; x -= 0.0317) expect(relative(expOfNegative(x), Math.exp(x))).toBeLessThan(1e-14)
})

test('exp of 0 is 1, of -Infinity and of anything too small 0, of NaN NaN', () => {
  expect(expOfNegative(0)).toBe(1)
  expect(expOfNegative(-0)).toBe(1)
  expect(expOfNegative(Number.NEGATIVE_INFINITY)).toBe(0)
  expect(expOfNegative(-1e300)).toBe(0)
  expect(expOfNegative(-746)).toBe(0)
  expect(Math.abs(expOfNegative(-745) - 2 ** -1074)).toBeLessThanOrEqual(2 ** -1074)
  expect(expOfNegative(Number.NaN)).toBeNaN()
})

test('log agrees with the engine to 4e-16 over all magnitudes, and near 1', () => {
  for (let exponent = -1020; exponent < 1023; exponent += 3.37)
    expect(relative(logOf(2 ** exponent), Math.log(2 ** exponent))).toBeLessThan(4e-16)
  for (let x = 0.5; x < 2; x += 0.00173)
    expect(Math.abs(logOf(x) - Math.log(x))).toBeLessThan(4e-16 * Math.max(Math.abs(Math.log(x)), 1e-3))
  expect(logOf(1)).toBe(0)
})

test('-log(1 - v) is precise where 1 - v is not', () => {
  for (let v = 0.999; v > 2 ** -65; v *= 0.93) expect(relative(minusLogOneMinus(v), -Math.log1p(-v))).toBeLessThan(8e-16)
})
