import type { StepTime } from '@foretoken/models'
import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { createRowCosts } from '../../src/speculation/row-costs.ts'

const measured = (stepMs: (rows: number) => number, contexts = [16]): StepTime[] =>
  contexts.flatMap((context) => [1, 2, 4, 8, 16].map((rows) => ({ context, rows, stepMs: stepMs(rows), samples: 5 })))

/** Runs steps of 1, 2, 4 and 8 rows by turns, whose times are given. */
function run(costs: ReturnType<typeof createRowCosts>, steps: number, stepMs: (rows: number, step: number) => number): void {
  for (let step = 0; step < steps; step++) {
    const rows = [1, 2, 4, 8][step % 4] ?? 1
    costs.observe(16 + step, rows, stepMs(rows, step))
  }
}

test('the shape is the measured one before any step was run, between the measured sizes as well', () => {
  const costs = createRowCosts(measured((rows) => 10 + 2 * (rows - 1)))
  costs.begin(16)
  expect(costs.plainMs).toBe(10)
  expect([1, 2, 3, 8, 16].map(costs.ratioOf)).toEqual([1, 1.2, 1.4, 2.4, 4])
})

test('without measured times nothing is known of a plain step, and rows cost a guess', () => {
  const costs = createRowCosts()
  costs.begin(0)
  expect(costs.plainMs).toBeUndefined()
  expect(costs.ratioOf(2)).toBeGreaterThan(1)
})

test('observed steps bend the shape, whatever was measured', () => {
  const costs = createRowCosts(measured((rows) => 10 + 0.2 * (rows - 1)))
  costs.begin(16)
  run(costs, 400, (rows) => 20 + 3 * (rows - 1))
  expect(Math.abs((costs.plainMs ?? 0) - 20)).toBeLessThan(1)
  for (const rows of [2, 4, 8]) expect(Math.abs(costs.ratioOf(rows) - (1 + 0.15 * (rows - 1)))).toBeLessThan(0.08)
})

test('a machine that becomes three times as slow changes the level and not the shape', () => {
  const costs = createRowCosts(measured((rows) => 10 + rows - 1))
  costs.begin(16)
  run(costs, 400, (rows, step) => (10 + rows - 1) * (step < 60 ? 1 : 3))
  expect(Math.abs((costs.plainMs ?? 0) - 30)).toBeLessThan(2)
  for (const rows of [2, 4, 8]) expect(Math.abs(costs.ratioOf(rows) - (1 + 0.1 * (rows - 1)))).toBeLessThan(0.2)
})

test.each([1, 2, 3])('every fifth step takes four times as long at random: the costs stay (seed %i)', (seed) => {
  const random = randomStream({ seed })
  const costs = createRowCosts(measured((rows) => 10 + rows - 1))
  costs.begin(16)
  run(costs, 400, (rows, step) => (10 + rows - 1) * (random.below(5, step) === 0 ? 4 : 1))
  expect(costs.plainMs).toBeLessThan(13)
  for (const rows of [2, 4, 8]) expect(Math.abs(costs.ratioOf(rows) - (1 + 0.1 * (rows - 1)))).toBeLessThan(0.15)
})

test('more rows never cost less, in measured times that say so and after observations that do', () => {
  const costs = createRowCosts(measured((rows) => (rows === 2 ? 90 : 10 + rows)))
  costs.begin(16)
  run(costs, 100, (rows) => (rows === 8 ? 5 : 20))
  for (let rows = 2; rows <= 64; rows++) expect(costs.ratioOf(rows)).toBeGreaterThanOrEqual(costs.ratioOf(rows - 1))
})

test('times of 0, NaN and Infinity are not counted', () => {
  const costs = createRowCosts()
  costs.begin(16)
  for (const time of [0, Number.NaN, Number.POSITIVE_INFINITY]) costs.observe(16, 1, time)
  expect(costs.plainMs).toBeUndefined()
})
