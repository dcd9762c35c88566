import { Graph, type LinearOptions, type LinearWeight, linear } from '@foretoken/graph'
import type { LinearFormat } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { createNumbers, createWeight } from './packed-weights.ts'
import { runGraph } from './run-graph.ts'

const formats: readonly LinearFormat[] = [
  { kind: 'f32' },
  { kind: 'int8-rows' },
  { kind: 'int8-rows', isSigned: true },
  { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false },
  { kind: 'blocks', bits: 8, blockSize: 16, hasMinima: true },
  { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: false },
  { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: true },
]

/** Plain product with the activations quantised to int8 as the format says; exact sums in doubles. */
function expected(x: readonly (readonly number[])[], dense: readonly (readonly number[])[]): number[] {
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

const CLOSE = 2e-6

/** max over all |found - wanted|, relative to the largest wanted. */
function worst(found: readonly number[] | undefined, wanted: readonly number[]): number {
  const scale = Math.max(...wanted.map(Math.abs))
  return Math.max(...wanted.map((value, at) => Math.abs((found?.[at] ?? Number.NaN) - value))) / scale
}

async function runLinear(x: readonly (readonly number[])[], weight: LinearWeight, options: LinearOptions = {}): Promise<readonly number[]> {
  const graph = new Graph({ name: 'linear' })
  const input = graph.input('x', 'float32', ['rows', weight.inputs])
  graph.output('y', linear(input, weight, options))
  const { y } = await runGraph(graph, { x: { type: 'float32', dims: [x.length, weight.inputs], values: x.flat() } })
  return y?.values ?? []
}

function rowsOf(count: number, inputs: number, seed: number): number[][] {
  const next = createNumbers(seed)
  return Array.from({ length: count }, () => Array.from({ length: inputs }, () => Math.fround((next() * 2 - 1) * 10 ** (next() * 4 - 2))))
}

test('int8 rows are integer products of activations that are rounded by the scale of their row', async () => {
  const { weight, dense } = createWeight('w', 9, 48, { kind: 'int8-rows' })
  const x = [...rowsOf(3, 48, 3), new Array<number>(48).fill(0)]
  const quantized = x.map((row) => {
    const scale = Math.fround(Math.fround(Math.max(...row.map(Math.abs))) * Math.fround(1 / 127))
    return row.map((value) => {
      if (scale === 0) return 0
      const ratio = Math.fround(value / scale)
      const floor = Math.floor(ratio)
      const rest = ratio - floor
      return (rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor) * scale
    })
  })
  expect(worst(await runLinear(x, weight), expected(quantized, dense))).toBeLessThan(CLOSE)
})

test.each([4, 8] as const)('blocks of %i bits are exact where the activations are multiples of a 127th of their greatest', async (bits) => {
  const { weight, dense } = createWeight('w', 9, 80, { kind: 'blocks', bits, blockSize: 16, hasMinima: true })
  const next = createNumbers(5)
  const x = Array.from({ length: 4 }, () => Array.from({ length: 80 }, (_, at) => (at % 16 === 3 ? 127 : Math.floor(next() * 255) - 127)))
  expect(worst(await runLinear(x, weight), expected(x, dense))).toBeLessThan(CLOSE)
})

test.each([4, 8] as const)('blocks of %i bits with float activations are the de-quantised product', async (bits) => {
  const { weight, dense } = createWeight('w', 9, 72, { kind: 'blocks', bits, blockSize: 32, hasMinima: true })
  const x = rowsOf(3, 72, 4)
  expect(worst(await runLinear(x, weight, { accuracyLevel: 1 }), expected(x, dense))).toBeLessThan(CLOSE)
})

test.each(formats)('a row is the same bits alone, or beside another in 4-bit blocks, as among eight: %o', async (format) => {
  for (const outputs of [1, 70]) {
    const { weight } = createWeight('w', outputs, 96, format)
    const x = rowsOf(8, 96, 6)
    const all = await runLinear(x, weight)
    const least = format.kind === 'blocks' && format.bits === 4 ? 2 : 1
    const few = await runLinear(x.slice(0, least), weight)
    expect(few).toEqual(all.slice(0, few.length))
  }
})

test.each([false, true])('weights that are cut by columns give the same bits (signed: %s)', async (isSigned) => {
  const { weight, loads } = createWeight('w', 70, 64, { kind: 'int8-rows', isSigned })
  const x = rowsOf(3, 64, 8)
  const whole = await runLinear(x, weight)
  expect(await runLinear(x, weight, { splitColumns: 32 })).toEqual(whole)
  expect(loads()).toBe(2)
})

test('a bias is added', async () => {
  const { weight, dense } = createWeight('w', 5, 16, { kind: 'f32' })
  const graph = new Graph({ name: 'bias' })
  const x = rowsOf(2, 16, 9)
  const bias = graph.constant('float32', [5], [1, 2, 3, 4, 5])
  graph.output('y', linear(graph.input('x', 'float32', ['rows', 16]), weight, { bias, name: 'q' }))
  const { y } = await runGraph(graph, { x: { type: 'float32', dims: [2, 16], values: x.flat() } })
  expect(
    worst(
      y?.values,
      expected(x, dense).map((value, at) => value + 1 + (at % 5)),
    ),
  ).toBeLessThan(CLOSE)
  expect(graph.nodes.map((node) => node.name)).toEqual(['q.MatMul', 'q.Add'])
})

test('several layers of one input quantise it once and sum its blocks once; a weight that is used twice is one initialiser', () => {
  const graph = new Graph({ name: 'shared' })
  const x = graph.input('x', 'float32', [1, 'steps', 64])
  const count = (operator: string) => graph.nodes.filter((node) => node.operator === operator).length
  const rows = createWeight('rows', 8, 64, { kind: 'int8-rows' }).weight
  for (const weight of [rows, createWeight('more', 8, 64, { kind: 'int8-rows' }).weight, rows]) linear(x, weight)
  expect([count('QuantizeLinear'), count('ReduceMax'), count('MatMulIntegerToFloat')]).toEqual([1, 1, 3])
  const blocks = { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: true } as const
  for (const name of ['q', 'k', 'v']) linear(x, createWeight(name, 8, 64, blocks).weight)
  expect([count('ReduceSum'), count('MatMulNBits')]).toEqual([1, 3])
  expect([...graph.initializers.keys()].filter((name) => name.startsWith('rows.'))).toEqual(['rows.values', 'rows.scales'])
})

test('an input of another width or type is refused with the name of the weight', () => {
  const graph = new Graph({ name: 'wrong' })
  const { weight } = createWeight('layers.3.q', 8, 64, { kind: 'f32' })
  const hidden = graph.input('hidden', 'float32', [1, 'steps', 32])
  expect(() => linear(hidden, weight)).toThrow(
    'linear (node layers.3.q): found x = hidden: float32 [1, steps, 32], expected the last dimension of x to be 64, the inputs of layers.3.q',
  )
  expect(() => linear(graph.input('ids', 'int64', ['steps', 64]), weight)).toThrow('x to be float32')
})
