import { expect, test } from 'vitest'
import type { Sample } from '../../src/report/rows.ts'
import { SHAPES } from '../../src/shapes/shape.ts'
import { formatShapes } from '../../src/shapes/shape-table.ts'

const sample = (side: string, measure: Sample['measure'], context: number, value: number): Sample => ({
  side,
  measure,
  context,
  round: 0,
  value,
})

test('ours say how many times better they are, the first opening stands apart', () => {
  const [shape] = SHAPES
  if (shape === undefined) throw new TypeError('no shapes')
  const samples = [
    sample('auto', 'ready', 0, 2000),
    sample('auto', 'decode', 16, 8),
    sample('auto', 'prefill', 512, 300),
    sample('node-llama-cpp', 'ready', 0, 1000),
    sample('node-llama-cpp', 'decode', 16, 10),
    sample('node-llama-cpp', 'prefill', 512, 100),
    sample('auto, nothing kept', 'ready', 0, 4000),
  ]
  const table = formatShapes([{ shape, parameters: 361_000_000, fileBytes: 1, skipped: [], rows: [], samples }])
  expect(table.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['', 'million', 'side', 'first open s', 'open s', 'first peak MB', 'step 16 ms', 'prefill 512 /s'],
    ['smollm2-360m', '361', 'auto', '4.00 (0.25)', '2.00 (0.50)', '8.00 (1.25)', '300 (3.00)'],
    ['', 'node-llama-cpp', '1.00', '10.0', '100'],
  ])
})
