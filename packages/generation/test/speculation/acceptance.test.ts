import { expect, test } from 'vitest'
import { createAcceptanceTable } from '../../src/speculation/acceptance.ts'

const PLACE = { depth: 1, rank: 0, confidence: 0.5, rival: 0 }

test('before anything was seen the estimate is what the drafter says, of what a rival leaves', () => {
  const table = createAcceptanceTable()
  expect(table.estimate(PLACE)).toBe(0.5)
  expect(table.estimate({ ...PLACE, rival: 0.6 })).toBeCloseTo(0.2, 12)
})

test('observations outweigh what the drafter says, and reach other depths of the same rank', () => {
  const table = createAcceptanceTable()
  for (let i = 0; i < 200; i++) table.observe(PLACE, i % 5 === 0)
  // the last hundred or so count, and a prior as much as four of them
  expect(table.estimate(PLACE)).toBeCloseTo(0.2, 1)
  expect(table.estimate({ ...PLACE, depth: 3 })).toBeLessThan(0.25)
  expect(table.estimate({ ...PLACE, rank: 1 })).toBe(0.5)
  expect(table.estimate({ ...PLACE, confidence: 0.9 })).toBe(0.9)
})

test('what was learned is saved and loaded, and a snapshot that contradicts itself is refused', () => {
  const table = createAcceptanceTable()
  for (let i = 0; i < 50; i++) table.observe(PLACE, true)
  const saved = table.snapshot()
  expect(createAcceptanceTable(saved).estimate(PLACE)).toBe(table.estimate(PLACE))
  table.observe(PLACE, false)
  expect(createAcceptanceTable(saved).estimate(PLACE)).toBeGreaterThan(table.estimate(PLACE))
  expect(() => createAcceptanceTable({ ...saved, tested: new Float64Array(3) })).toThrow(/learned.tested: found 3 cells/)
  expect(() => createAcceptanceTable({ ...saved, accepted: saved.accepted.map(() => Number.NaN) })).toThrow(/NaN/)
  expect(() => createAcceptanceTable({ tested: saved.accepted.map(() => 1), accepted: saved.accepted.map(() => 2) })).toThrow(/2 of 1/)
})
