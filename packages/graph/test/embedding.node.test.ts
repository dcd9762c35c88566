import { embedding, encodeModel, Graph, linear } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { createWeight } from './packed-weights.ts'
import { runGraph } from './run-graph.ts'

const ids = { type: 'int64', dims: [2, 3], values: [0, 4, 2, 2, 1, 4] } as const

test('rows of a float table', async () => {
  const values = Float32Array.from({ length: 5 * 3 }, (_, at) => at / 2)
  const table = { name: 'tokens', rows: 5, width: 3, load: async () => values }
  const graph = new Graph({ name: 'embedding' })
  const input = graph.input('ids', 'int64', ['batch', 'steps'])
  const rows = embedding(input, table)
  expect(rows.dims).toEqual(['batch', 'steps', 3])
  graph.output('rows', rows)
  graph.output('again', embedding(input, table))
  expect(graph.initializers.size).toBe(1)
  const results = await runGraph(graph, { ids })
  const wanted = ids.values.flatMap((id) => [...values.subarray(3 * id, 3 * id + 3)])
  expect(results).toMatchObject({ rows: { dims: [2, 3, 3], values: wanted }, again: { values: wanted } })
})

test.each([64, 40])('rows of width %i in 8-bit blocks share their bytes with the output layer', async (width) => {
  const { weight, dense, loads } = createWeight('tied', 5, width, { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false })
  const graph = new Graph({ name: 'tied' })
  const rows = embedding(graph.input('ids', 'int64', ['batch', 'steps']), weight)
  expect(rows.dims).toEqual(['batch', 'steps', width])
  graph.output('rows', rows)
  graph.output('logits', linear(rows, weight))
  const { external } = encodeModel(graph, { external: { location: 'weights.bin', minimumBytes: 0 } })
  const place = (name: string) => external.find((tensor) => tensor.name === name)?.offset
  expect(place('tied.values')).toBeGreaterThanOrEqual(0)
  expect(place('tied.table.values')).toBe(place('tied.values'))
  expect(place('tied.table.scales')).toBe(place('tied.scales'))
  const results = await runGraph(graph, { ids })
  expect(loads()).toBe(1)
  const wanted = ids.values.flatMap((id) => [...(dense[id] ?? [])])
  results.rows?.values.forEach((value, at) => {
    expect(Math.abs(value - (wanted[at] ?? 0))).toBeLessThan(1e-6)
  })
})

test('formats without rows of bytes, and ids that are no whole numbers, are refused', () => {
  const graph = new Graph({ name: 'wrong' })
  const input = graph.input('ids', 'int64', ['steps'])
  expect(() => embedding(input, createWeight('w', 5, 32, { kind: 'int8-rows' }).weight)).toThrow(
    'w: found int8-rows, expected 8-bit blocks without minima',
  )
  expect(() => embedding(input, createWeight('v', 5, 32, { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: true }).weight)).toThrow(
    'found 4-bit blocks with minima',
  )
  const { weight } = createWeight('u', 5, 32, { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false })
  expect(() => embedding(graph.input('hidden', 'float32', ['steps']), weight)).toThrow(
    'embedding (node u): found ids = hidden: float32 [steps], expected ids to be int64, int32',
  )
})
