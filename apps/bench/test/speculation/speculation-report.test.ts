import { expect, test } from 'vitest'
import { repeatedShare } from '../../src/speculation/repeated-ngrams.ts'
import { course, drawSpeculationFigure } from '../../src/speculation/speculation-figure.ts'
import { readSpeculationOptions } from '../../src/speculation/speculation-options.ts'
import type { SpeculationRow } from '../../src/speculation/speculation-rows.ts'
import { formatSpeculationTable } from '../../src/speculation/speculation-table.ts'

const row = (changes: Partial<SpeculationRow>): SpeculationRow => ({
  drafter: 'auto',
  prompt: 'copy',
  temperature: 0,
  tokensPerStep: 4,
  ratio: 3.6,
  processorRatio: 3.5,
  identical: true,
  acceptance: 0.8,
  repeated: 0.25,
  newTokens: 40,
  draftMs: 0.1,
  acceptedByDepth: [8, 6],
  testedByDepth: [10, 8],
  tokensByStep: [1, 1, 8, 8, 2],
  ...changes,
})

test('a 4-gram counts as repeated from its second time on', () => {
  expect(repeatedShare([1, 2, 3, 4, 5])).toBe(0)
  expect(repeatedShare([1, 2, 3, 4, 1, 2, 3, 4])).toBe(1 / 5)
  expect(repeatedShare([7, 7, 7, 7, 7, 7])).toBe(2 / 3)
  expect(repeatedShare([1, 2, 3])).toBeNaN()
})

test('the table has a line for each prompt and temperature, the means, and says when ids differ and an aim is missed', () => {
  const rows = [
    row({}),
    row({ drafter: 'other', ratio: 1.2, tokensPerStep: 1.5, identical: false }),
    row({ prompt: 'long context', ratio: 0.9, tokensPerStep: 1 }),
  ]
  const lines = formatSpeculationTable(rows, 'auto').split('\n')
  expect(lines.length).toBe(4)
  expect(lines[1]).toMatch(/^copy +0 +40 +25 % +3\.60x 4\.00 +1\.20x 1\.50 DIFFERENT +3\.50 reached$/)
  expect(lines[2]).toMatch(/0\.98 missed$/)
  expect(lines[3]).toMatch(/^mean +0 +2\.25x 2\.50 +1\.20x 1\.50/)
})

test('the course of an output is the tokens per step around each place of it', () => {
  const points = course([...Array.from({ length: 10 }, () => 1), ...Array.from({ length: 10 }, () => 4)])
  expect(points[0]).toBe(1)
  expect(points.at(-1)).toBe(4)
  expect(points.every((value, i) => i === 0 || value >= (points[i - 1] ?? 0))).toBe(true)
  expect(course([]).every((value) => value === 0)).toBe(true)
})

test('the figure has a panel for each prompt and a line for each drafter, and survives odd names', () => {
  const svg = drawSpeculationFigure([row({}), row({ drafter: 'a < b' }), row({ prompt: 'chat', tokensByStep: [] })], 'a & b')
  expect(svg.match(/<polyline/g)?.length).toBe(3)
  expect(svg).toContain('a &lt; b')
  expect(svg).toContain('a &amp; b')
  expect(svg).not.toContain('NaN')
})

test('options: quick is one greedy round, and nonsense is refused', () => {
  expect(readSpeculationOptions(['--quick'])).toMatchObject({ rounds: 1, temperatures: [0], newTokens: 64 })
  expect(readSpeculationOptions([])).toMatchObject({ rounds: 3, temperatures: [0, 0.7], only: [] })
  expect(readSpeculationOptions(['--help'])).toBe('help')
  expect(() => readSpeculationOptions(['--rounds', '0'])).toThrow(/--rounds: found 0/)
  expect(() => readSpeculationOptions(['--format', 'int3'])).toThrow(/--format: found int3/)
})
