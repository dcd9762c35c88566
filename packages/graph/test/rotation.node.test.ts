import { Graph, rotateRows, rotateRowsBack, type Value } from '@foretoken/graph'
import { hadamardBlocks, type Rotation, randomRotation, rowRotator } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { createNumbers } from './packed-weights.ts'
import { runGraph } from './run-graph.ts'

async function run(build: (x: Value) => Value, rows: Float32Array, width: number): Promise<Float32Array> {
  const graph = new Graph({ name: 'rotation' })
  graph.output('y', build(graph.input('x', 'float32', [1, 'steps', width])))
  const { y } = await runGraph(graph, { x: { type: 'float32', dims: [1, rows.length / width, width], values: [...rows] } })
  return Float32Array.from(y?.values ?? [])
}

function rowsOf(count: number, width: number): Float32Array {
  const next = createNumbers(width)
  return Float32Array.from({ length: count * width }, () => next() * 2 - 1)
}

const largest = (a: Float32Array, b: Float32Array) => Math.max(...a.map((value, at) => Math.abs(value - (b[at] ?? Number.NaN))))

const rotations: readonly (Rotation | undefined)[] = [
  randomRotation(64, 1),
  randomRotation(96, 1),
  randomRotation(576, 2),
  randomRotation(1024, 3),
  hadamardBlocks(192, 64),
  hadamardBlocks(64, 64),
]

describe.each(rotations.filter((each) => each !== undefined))('rows of $width in blocks of $blockSize', (rotation) => {
  const { width } = rotation

  test('are rotated as in memory', async () => {
    const rows = rowsOf(3, width)
    const expected = rows.slice()
    rowRotator(rotation)(expected, 0, 3)
    const found = await run((x) => rotateRows(x, rotation), rows, width)
    expect(found.length).toBe(expected.length)
    expect(largest(found, expected)).toBeLessThan(2e-6)
  })

  test('come back', async () => {
    const rows = rowsOf(3, width)
    expect(largest(await run((x) => rotateRowsBack(rotateRows(x, rotation), rotation), rows, width), rows)).toBeLessThan(2e-6)
  })

  test('are the same bits alone as among eight', async () => {
    const rows = rowsOf(8, width)
    const all = await run((x) => rotateRows(x, rotation), rows, width)
    for (const row of [0, 5]) {
      const alone = await run((x) => rotateRows(x, rotation), rows.slice(row * width, (row + 1) * width), width)
      expect(alone).toEqual(all.slice(row * width, (row + 1) * width))
    }
  })
})

test('rows of another width are refused', () => {
  const x = new Graph({ name: 'wrong' }).input('x', 'float32', ['steps', 63])
  expect(() => rotateRows(x, { width: 64, blockSize: 64 })).toThrow('the last dimension of x to be 64')
})
