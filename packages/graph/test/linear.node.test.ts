import { Graph, linear } from '@foretoken/graph'
import type { LinearFormat } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { createNumbers, createWeight } from './packed-weights.ts'
import { runGraph } from './run-graph.ts'

const formats: readonly LinearFormat[] = [
  { kind: 'f32' },
  { kind: 'int8-rows' },
  { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false },
  { kind: 'blocks', bits: 8, blockSize: 16, hasMinima: true },
  { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: false },
  { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: true },
]

/** Plain product with the activations quantised to int8 as the format says; exact sums in doubles. */
function expected(x: readonly number[][], dense: readonly (readonly number[])[]): number[] {
  return x.flatMap((row) => dense.map((weights) => weights.reduce((sum, weight, input) => sum + weight * (row[input] ?? 0), 0)))
}

describe.each(formats)('%o', (format) => {
  test.each([
    { inputs: 64, outputs: 12, dims: ['batch', 'steps'], sizes: [1, 3] },
    { inputs: 64, outputs: 1, dims: [1, 'steps'], sizes: [1, 3] },
    { inputs: 40, outputs: 5, dims: ['steps'], sizes: [4] },
    { inputs: 64, outputs: 6, dims: ['batch', 'steps'], sizes: [2, 2] },
    { inputs: 96, outputs: 7, dims: [2, 'steps'], sizes: [2, 2] },
  ])('$inputs inputs and $outputs outputs over $dims give the plain product', async ({ inputs, outputs, dims, sizes }) => {
    const next = createNumbers(7)
    const { weight, dense, loads } = createWeight('w', outputs, inputs, format)
    const rows = sizes.reduce((product, size) => product * size, 1)
    const x = Array.from({ length: rows }, () => Array.from({ length: inputs }, () => Math.fround(next() * 2 - 1)))
    const graph = new Graph({ name: 'linear' })
    const input = graph.input('x', 'float32', [...dims, inputs])
    const y = linear(input, weight)
    expect(y.dims).toEqual([...dims, outputs])
    graph.output('y', y)
    expect(loads()).toBe(0)
    const { y: result } = await runGraph(graph, { x: { type: 'float32', dims: [...sizes, inputs], values: x.flat() } })
    expect(loads()).toBe(1)
    expect(result?.dims).toEqual([...sizes, outputs])
    const wanted = expected(x, dense)
    const scale = Math.max(...wanted.map(Math.abs))
    result?.values.forEach((value, index) => {
      expect(Math.abs(value - (wanted[index] ?? 0)) / scale).toBeLessThan(format.kind === 'f32' ? 1e-6 : 0.03)
    })
  })
})
