import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { createOrderedCut } from '../src/ordered-cut.ts'

/** Sorts, and adds until the target is reached. */
function bySorting(keys: readonly number[], weights: readonly number[] | undefined, target: number) {
  const order = keys.map((_, i) => i).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b)
  let sum = 0
  for (const index of order) {
    sum += weights?.[index] ?? 1
    if (sum >= target) return { key: keys[index], index }
  }
  const last = order.at(-1) ?? -1
  return { key: keys[last], index: last }
}

function cutOf(keys: readonly number[], weights: readonly number[] | undefined, target: number) {
  const { key, index } = createOrderedCut(keys.length).find(
    Float64Array.from(keys),
    weights && Float64Array.from(weights),
    keys.length,
    target,
  )
  return { key, index }
}

test('the cut is that of sorting, for unit weights and whole weights, with and without ties', () => {
  const random = randomStream({ seed: 3 })
  let index = 0
  for (let round = 0; round < 300; round++) {
    const count = 1 + random.below(700, index++)
    const grain = [1e-9, 0.01, 1, 20][round % 4] ?? 1
    const keys = Array.from({ length: count }, () => Math.floor((random.uniform(index++) * 40) / grain) * grain)
    // Whole numbers: sums do not depend on the order of additions.
    const weights = Array.from({ length: count }, () => random.below(5, index++))
    const target = 1 + random.below(count * 2, index++)
    expect(cutOf(keys, undefined, Math.min(target, count)), `round ${round}`).toEqual(bySorting(keys, undefined, Math.min(target, count)))
    const total = weights.reduce((sum, each) => sum + each, 0)
    if (target <= total) expect(cutOf(keys, weights, target), `round ${round}`).toEqual(bySorting(keys, weights, target))
  }
})

test('equal keys are taken in the order of their index', () => {
  expect(cutOf(new Array(500).fill(2), undefined, 77)).toEqual({ key: 2, index: 76 })
})

test('keys of very different size are told apart', () => {
  const keys = [1e300, 1e-300, 5, ...Array.from({ length: 200 }, (_, i) => 10 ** (i - 100))]
  for (const target of [1, 2, 3, 100, 150, 203]) expect(cutOf(keys, undefined, target)).toEqual(bySorting(keys, undefined, target))
})
