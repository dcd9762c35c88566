import { expect, test } from 'vitest'
import { median, spread } from '../../src/report/statistics.ts'

test('the median of an odd number of values is the middle one, whatever their order', () => {
  expect(median([9, 1, 5])).toBe(5)
})

test('the median of an even number of values lies between the two in the middle', () => {
  expect(median([10, 1, 4, 2])).toBe(3)
})

test('numbers are ordered as numbers', () => {
  expect(median([100, 9, 20])).toBe(20)
})

test('of nothing there is no median and no spread', () => {
  expect(median([])).toBeNaN()
  expect(spread([])).toEqual({ least: Number.NaN, greatest: Number.NaN })
})

test('the spread is from the least to the greatest', () => {
  expect(spread([3, -1, 2])).toEqual({ least: -1, greatest: 3 })
})
