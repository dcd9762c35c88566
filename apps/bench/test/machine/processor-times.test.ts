import { expect, test } from 'vitest'
import { shareOfOthers } from '../../src/machine/processor-times.ts'

const BEFORE = { busyMs: 1000, idleMs: 5000 }

test('what was busy and not ours is the share of others', () => {
  expect(shareOfOthers(BEFORE, { busyMs: 1600, idleMs: 5400 }, 400)).toBeCloseTo(0.2, 12)
})

test('clocks that disagree a little give no negative share', () => {
  expect(shareOfOthers(BEFORE, { busyMs: 1390, idleMs: 5610 }, 400)).toBe(0)
})

test('where no time is told there is no share', () => {
  expect(shareOfOthers(BEFORE, BEFORE, 10)).toBe(0)
})
