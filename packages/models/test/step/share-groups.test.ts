import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shareGroups } from '../../src/step/share-groups.ts'

/** Bytes that the groups read, by the definition. */
function bytesOf(groups: readonly (readonly number[])[], blocks: readonly number[], weightBytes: number, blockBytes: number): number {
  return groups.reduce(
    (sum, group) => sum + weightBytes + group.length * Math.max(...group.map((index) => blocks[index] ?? 0)) * blockBytes,
    0,
  )
}

/** All ways to divide the indices. */
function partitions(count: number): number[][][] {
  if (count === 0) return [[]]
  return partitions(count - 1).flatMap((groups) => [
    ...groups.map((_, at) => groups.map((group, index) => (index === at ? [...group, count - 1] : group))),
    [...groups, [count - 1]],
  ])
}

test('sequences of similar length run together, and a long one does not make short ones wait', () => {
  expect(shareGroups([0, 1, 0, 1], 100, 10)).toEqual([[0, 1, 2, 3]])
  expect(shareGroups([0, 32, 1, 0], 100, 10)).toEqual([[0, 2, 3], [1]])
  expect(shareGroups([], 100, 10)).toEqual([])
})

test('no division of the sequences reads fewer bytes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(9), { maxLength: 6 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 10 }),
      (blocks, weights, block) => {
        const groups = shareGroups(blocks, weights, block)
        expect(groups.flat().sort()).toEqual(blocks.map((_, index) => index))
        const least = Math.min(...partitions(blocks.length).map((each) => bytesOf(each, blocks, weights, block)))
        expect(bytesOf(groups, blocks, weights, block)).toBe(least)
      },
    ),
  )
})
