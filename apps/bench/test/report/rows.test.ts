import { expect, test } from 'vitest'
import { buildRows, type Sample } from '../../src/report/rows.ts'

const OURS = [{ side: 'us' }]

function samples(side: string, measure: Sample['measure'], context: number, values: readonly number[]): Sample[] {
  return values.map((value, round) => ({ side, measure, context, round, value }))
}

test('half of their time is a ratio of two', () => {
  const [row] = buildRows([...samples('us', 'decode', 16, [5]), ...samples('them', 'decode', 16, [10])], OURS, [
    { name: 'them', sides: ['them'] },
  ])
  expect(row).toMatchObject({ measure: 'decode', context: 16, peer: 'them', unit: 'ms/token', ours: 5, theirs: 10, ratio: 2 })
})

test('half of their rate is a ratio of a half', () => {
  const [row] = buildRows([...samples('us', 'prefill', 512, [400]), ...samples('them', 'prefill', 512, [800])], OURS, [
    { name: 'them', sides: ['them'] },
  ])
  expect(row?.ratio).toBe(0.5)
})

test('values are medians, the range of the ratio is over rounds', () => {
  const [row] = buildRows([...samples('us', 'decode', 16, [10, 20, 12]), ...samples('them', 'decode', 16, [20, 10, 18])], OURS, [
    { name: 'them', sides: ['them'] },
  ])
  expect(row).toMatchObject({ ours: 12, theirs: 18, ratio: 1.5, ratioLeast: 0.5, ratioGreatest: 2 })
  expect(row).toMatchObject({ oursLeast: 10, oursGreatest: 20, theirsLeast: 10, theirsGreatest: 20 })
})

test('a round that only one side finished is not compared', () => {
  const [row] = buildRows([...samples('us', 'decode', 16, [10, 10]), ...samples('them', 'decode', 16, [20])], OURS, [
    { name: 'them', sides: ['them'] },
  ])
  expect(row).toMatchObject({ ratioLeast: 2, ratioGreatest: 2 })
})

test('the best of several sides is chosen for each measure', () => {
  const rows = buildRows(
    [
      ...samples('us', 'decode', 16, [10]),
      ...samples('us', 'prefill', 512, [100]),
      ...samples('a', 'decode', 16, [8]),
      ...samples('a', 'prefill', 512, [50]),
      ...samples('b', 'decode', 16, [9]),
      ...samples('b', 'prefill', 512, [90]),
    ],
    OURS,
    [{ name: 'best', sides: ['a', 'b'] }],
  )
  expect(rows.map(({ measure, theirs }) => [measure, theirs])).toEqual([
    ['decode', 8],
    ['prefill', 90],
  ])
})

test('the fastest of several sides after the shortest prompt is compared in all measures, and named', () => {
  const rows = buildRows(
    [
      ...samples('us', 'decode', 16, [10]),
      ...samples('us', 'perplexity', 512, [20]),
      ...samples('a', 'decode', 16, [8]),
      ...samples('a', 'decode', 512, [30]),
      ...samples('a', 'perplexity', 512, [25]),
      ...samples('b', 'decode', 16, [9]),
      ...samples('b', 'decode', 512, [20]),
      ...samples('b', 'perplexity', 512, [19]),
    ],
    OURS,
    [{ name: 'fastest', sides: ['b', 'a'], choice: 'fastest' }],
  )
  expect(rows.map(({ measure, theirs, peerSide }) => [measure, theirs, peerSide])).toEqual([
    ['decode', 8, 'a'],
    ['perplexity', 25, 'a'],
  ])
})

test('a second side of ours is compared in its own measures only, under its name', () => {
  const all = ['us', 'us cold', 'them'].flatMap((side) => [...samples(side, 'decode', 16, [1]), ...samples(side, 'ready', 0, [1])])
  const rows = buildRows(all, [...OURS, { side: 'us cold', variant: 'cold', measures: ['ready'] }], [{ name: 'them', sides: ['them'] }])
  expect(rows.map(({ measure, variant }) => [measure, variant])).toEqual([
    ['decode', undefined],
    ['ready', undefined],
    ['ready', 'cold'],
  ])
})

test('a side without samples has no rows', () => {
  expect(buildRows(samples('us', 'decode', 16, [1]), OURS, [{ name: 'them', sides: ['them'] }])).toEqual([])
})

test('an aim stands at the row that it is for', () => {
  const rows = buildRows(
    ['us', 'node-llama-cpp Q4_1'].flatMap((side) => [...samples(side, 'decode', 512, [1]), ...samples(side, 'decode', 100, [1])]),
    OURS,
    [{ name: 'node-llama-cpp Q4_1', sides: ['node-llama-cpp Q4_1'] }],
  )
  expect(rows.map(({ context, aim }) => [context, aim])).toEqual([
    [100, undefined],
    [512, 1.05],
  ])
})
