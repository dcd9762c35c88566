import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeByHeap, mergeByScanning, mergeSymbols } from '../../src/models/merge-symbols.ts'
import { type Merge, makeMergeTable } from '../../src/models/merge-table.ts'

/** The definition: merge the leftmost pair of lowest rank until there is none. */
function slowMerge(symbols: readonly number[], merges: readonly Merge[]): number[] {
  const current = [...symbols]
  for (;;) {
    let best: Merge | undefined
    let at = -1
    for (let i = 0; i + 1 < current.length; i++) {
      const merge = merges.findLast(({ left, right }) => left === current[i] && right === current[i + 1])
      if (merge !== undefined && (best === undefined || merge.rank < best.rank)) {
        best = merge
        at = i
      }
    }
    if (best === undefined) return current
    current.splice(at, 2, best.result)
  }
}

// Merges as training makes them: of symbols that exist, into a new one, in order.
const merges = fc.array(fc.tuple(fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 30 }).map((pairs) => {
  const seen = new Set<string>()
  const made: Merge[] = []
  for (const [one, other] of pairs) {
    const known = 4 + made.length
    const left = one % known
    const right = other % known
    if (seen.has(`${left} ${right}`)) continue
    seen.add(`${left} ${right}`)
    made.push({ left, right, result: known, rank: made.length })
  }
  return made
})

test('scanning, the heap and the definition give the same', () => {
  fc.assert(
    fc.property(merges, fc.array(fc.nat(3), { maxLength: 70 }), (list, symbols) => {
      const table = makeMergeTable(list)
      const expected = slowMerge(symbols, list)
      expect(mergeByScanning([...symbols], table)).toEqual(expected)
      expect(mergeByHeap(symbols, table)).toEqual(expected)
      expect(mergeSymbols([...symbols], table)).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('a pair that is listed twice has its last rank', () => {
  const twice = [
    { left: 0, right: 1, result: 3, rank: 0 },
    { left: 1, right: 2, result: 4, rank: 1 },
    { left: 0, right: 1, result: 3, rank: 2 },
  ]
  expect(mergeSymbols([0, 1, 2], makeMergeTable(twice))).toEqual([0, 4])
})
