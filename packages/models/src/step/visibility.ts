/** Who sees whom among the new rows of a step, as one predicate and its checks. */
import type { Visibility } from '../causal-lm.ts'
import { StepError } from '../errors.ts'

/** Whether row `row` sees row `other`; both are indices among the new rows. */
export type Sees = (row: number, other: number) => boolean

const CAUSAL: Sees = (row, other) => other <= row

/** @throws {StepError} when the description does not fit `steps` rows */
export function visibilityOf(visibility: Visibility | undefined, steps: number): Sees {
  switch (visibility?.kind) {
    case undefined:
    case 'causal':
      return CAUSAL
    case 'tree':
      return treeVisibility(visibility.parents, steps)
    case 'block': {
      const { blocks } = visibility
      requireLength('blocks', blocks.length, steps)
      return (row, other) => (blocks[other] ?? 0) <= (blocks[row] ?? 0)
    }
    case 'dense': {
      const { visible } = visibility
      requireLength('visible', visible.length, steps * steps)
      for (let row = 0; row < steps; row++) {
        if (visible[row * steps + row] !== 1) {
          throw new StepError({ field: 'visibility.visible', found: `row ${row} that does not see itself`, expected: '1 on the diagonal' })
        }
      }
      return (row, other) => visible[row * steps + other] === 1
    }
  }
}

function treeVisibility(parents: Int32Array, steps: number): Sees {
  requireLength('parents', parents.length, steps)
  // ancestors[row * steps + other]: filled from the parents, which come first
  const ancestors = new Uint8Array(steps * steps)
  for (let row = 0; row < steps; row++) {
    const parent = parents[row] ?? -1
    if (parent < -1 || parent >= row) {
      throw new StepError({ field: 'visibility.parents', found: `parent ${parent} of row ${row}`, expected: `-1 or a row before it` })
    }
    if (parent >= 0) ancestors.copyWithin(row * steps, parent * steps, (parent + 1) * steps)
    ancestors[row * steps + row] = 1
  }
  return (row, other) => ancestors[row * steps + other] === 1
}

function requireLength(field: string, found: number, expected: number): void {
  if (found !== expected) throw new StepError({ field: `visibility.${field}`, found: `${found} entries`, expected: `${expected}` })
}
