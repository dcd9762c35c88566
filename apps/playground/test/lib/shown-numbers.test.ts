import { expect, test } from 'vitest'
import { bytes, count, milliseconds, perSecond } from '../../src/lib/quantities.ts'
import { speedCurve } from '../../src/lib/speed-curve.ts'

test.each([
  [bytes(0), '0 B'],
  [bytes(999), '999 B'],
  [bytes(1000), '1.00 kB'],
  [bytes(98_362_432), '98.4 MB'],
  [bytes(999_600_000), '1.00 GB'],
  [bytes(Number.NaN), '–'],
  [milliseconds(23.44), '23.4 ms'],
  [milliseconds(1234), '1.23 s'],
  [milliseconds(12_345), '12.3 s'],
  [perSecond(31.25), '31.3'],
  [perSecond(0), '–'],
  [perSecond(Number.POSITIVE_INFINITY), '–'],
  [count(1, 'token'), '1 token'],
  [count(12_000, 'token'), '12,000 tokens'],
])('%s', (shown, text) => {
  expect(shown).toBe(text)
})

test('the curve leaves out the first token, which waited for the prompt, and looks back over eight', () => {
  expect(speedCurve([])).toEqual([])
  expect(speedCurve([500])).toEqual([])
  expect(speedCurve([500, 100, 50])).toEqual([10, 2000 / 150])
  const times = [500, ...Array.from({ length: 20 }, (_, i) => 10 + i)]
  const lastEight = times.slice(-8).reduce((sum, each) => sum + each, 0)
  expect(speedCurve(times).at(-1)).toBeCloseTo(8000 / lastEight)
})

test('tokens that arrive at once have no infinite speed', () => {
  expect(speedCurve([500, 0, 0])).toEqual([Number.NaN, Number.NaN])
})
