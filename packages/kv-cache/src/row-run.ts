/**
 * Row selections as runs of neighbouring rows. An accepted path of a tree or the survivors of a retention policy are a few long
 * runs, and a run is one contiguous copy per layer instead of one per row.
 */
import { ArgumentError } from '@foretoken/tensor'

/** Rows [from, from + count). */
export interface RowRun {
  readonly from: number
  readonly count: number
}

/**
 * Checks row indices and merges neighbours.
 *
 * @param indices    distinct row indices in the order wanted
 * @param available  number of rows to choose from
 * @param field      name of the argument, for the error
 * @throws {ArgumentError} for an index that is not an integer in [0, available), or that occurs twice
 */
export function rowRuns(indices: ArrayLike<number>, available: number, field: string): RowRun[] {
  const runs: { from: number; count: number }[] = []
  let run: { from: number; count: number } | undefined
  let greatest = -1
  let seen: Uint8Array | undefined
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] ?? Number.NaN
    if (!Number.isInteger(index) || index < 0 || index >= available) {
      throw new ArgumentError({ field, found: `index ${index}`, expected: `integers from 0 to ${available - 1}` })
    }
    if (seen === undefined && index <= greatest) seen = markRuns(runs, available)
    if (seen !== undefined) {
      if (seen[index] === 1) throw new ArgumentError({ field, found: `index ${index} twice`, expected: 'distinct indices' })
      seen[index] = 1
    }
    if (index > greatest) greatest = index
    if (run !== undefined && index === run.from + run.count) run.count++
    else {
      run = { from: index, count: 1 }
      runs.push(run)
    }
  }
  return runs
}

// Only a selection that is not ascending can repeat an index, so the marks are made when the first step back is seen.
function markRuns(runs: readonly RowRun[], available: number): Uint8Array {
  const seen = new Uint8Array(available)
  for (const { from, count } of runs) seen.fill(1, from, from + count)
  return seen
}
