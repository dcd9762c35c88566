import { expect, test } from 'vitest'
import { type Busyness, disturbances } from '../../src/machine/busyness.ts'

const QUIET: Busyness = { loadAverageBefore: 0.3, shareBefore: 0.01, shareMean: 0.01, shareWorst: 0.04, calibrationMs: [10, 10.3, 10.1] }

test('a quiet machine disturbs nothing', () => {
  expect(disturbances(QUIET)).toEqual([])
})

test.each<[string, Partial<Busyness>, RegExp]>([
  ['others before the start', { shareBefore: 0.5 }, /50 % .* before the start/],
  ['others during the run', { shareMean: 0.2, shareWorst: 0.6 }, /20 % .* 60 %/],
  ['others during one side only', { shareMean: 0.02, shareWorst: 0.6 }, /60 %/],
  ['a processor that slows down', { calibrationMs: [10, 13, 10] }, /1\.30 times/],
])('%s: it is said', (_, change, expected) => {
  expect(disturbances({ ...QUIET, ...change })).toEqual([expect.stringMatching(expected)])
})
