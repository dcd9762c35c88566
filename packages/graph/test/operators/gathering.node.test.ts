import * as graph from '@foretoken/graph'
import { Graph } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { at, checkOperator, floats, integers, plain, toPlain } from './check-operator.ts'

const x = floats([4, 5, 3])

test.each(['int64', 'int32'] as const)('gather by %s along any axis, also from the end', async (type) => {
  const indices = integers(type, [2, 6], -4, 3)
  const place = (i: number, j: number) => (at(toPlain(indices), [i, j]) + 4) % 4
  await checkOperator({
    inputs: { x, indices, one: { type, dims: [], values: [-1] } },
    build: (value) => [graph.gather(value('x'), value('indices')), graph.gather(value('x'), value('one'), { axis: -2 })],
    expected: [
      plain([2, 6, 5, 3], ([i = 0, j = 0, k = 0, l = 0]) => at(toPlain(x), [place(i, j), k, l])),
      plain([4, 3], ([i = 0, k = 0]) => at(toPlain(x), [i, 4, k])),
    ],
  })
})

test('gatherElements', async () => {
  const indices = integers('int64', [4, 2, 3], -5, 4)
  const expected = plain([4, 2, 3], ([i = 0, j = 0, k = 0]) => at(toPlain(x), [i, (at(toPlain(indices), [i, j, k]) + 5) % 5, k]))
  await checkOperator({
    inputs: { x, indices },
    build: (value) => graph.gatherElements(value('x'), value('indices'), { axis: 1 }),
    expected: [expected],
  })
})

test('gatherNd, with and without shared leading axes', async () => {
  const pairs = { ...integers('int64', [6, 2], 0, 3), dims: [6, 2] }
  const perRow = integers('int64', [4, 2, 1], 0, 4)
  await checkOperator({
    inputs: { x, pairs, perRow },
    fixed: ['pairs', 'perRow', 'x'],
    build: (value) => [graph.gatherNd(value('x'), value('pairs')), graph.gatherNd(value('x'), value('perRow'), { batchDims: 1 })],
    expected: [
      plain([6, 3], ([i = 0, k = 0]) => at(toPlain(x), [at(toPlain(pairs), [i, 0]), at(toPlain(pairs), [i, 1]), k])),
      plain([4, 2, 3], ([b = 0, i = 0, k = 0]) => at(toPlain(x), [b, at(toPlain(perRow), [b, i, 0]), k])),
    ],
  })
})

test('scatterElements replaces and adds', async () => {
  const base = floats([3, 4])
  const indices = { type: 'int64', dims: [2, 4], values: [0, 1, 2, 0, 1, 2, -3, 1] } as const
  const updates = floats([2, 4], 5)
  const scattered = (combine: (old: number, update: number) => number) => {
    const values = [...toPlain(base).values]
    toPlain(updates).values.forEach((update, flat) => {
      const place = ((Number(indices.values[flat]) + 3) % 3) * 4 + (flat % 4)
      values[place] = combine(values[place] ?? 0, update)
    })
    return { dims: [3, 4], values }
  }
  await checkOperator({
    inputs: { base, indices, updates },
    build: (value) => [
      graph.scatterElements(value('base'), value('indices'), value('updates')),
      graph.scatterElements(value('base'), value('indices'), value('updates'), { reduction: 'add' }),
    ],
    expected: [scattered((_, update) => update), scattered((old, update) => old + update)],
  })
})

test('scatterNd replaces slices', async () => {
  const base = floats([4, 3])
  const indices = { type: 'int64', dims: [2, 1], values: [3, 1] } as const
  const updates = floats([2, 3], 5)
  const expected = plain([4, 3], ([i = 0, j = 0]) =>
    i === 3 ? at(toPlain(updates), [0, j]) : i === 1 ? at(toPlain(updates), [1, j]) : at(toPlain(base), [i, j]),
  )
  await checkOperator({
    inputs: { base, indices, updates },
    build: (value) => graph.scatterNd(value('base'), value('indices'), value('updates')),
    expected: [expected],
  })
})

test('oneHot', async () => {
  const indices = integers('int64', [2, 3], 0, 3)
  const values = { type: 'float32', dims: [2], values: [-1, 2] } as const
  const expected = plain([2, 4, 3], ([i = 0, c = 0, j = 0]) => (at(toPlain(indices), [i, j]) === c ? 2 : -1))
  await checkOperator({
    inputs: { indices, values },
    fixed: ['values'],
    build: (value) => graph.oneHot(value('indices'), 4, value('values'), { axis: 1 }),
    expected: [expected],
  })
})

test('nonZero gives as many places as there are', async () => {
  const mask = { type: 'bool', dims: [2, 3], values: [1, 0, 1, 0, 0, 1] } as const
  const expected = { dims: [2, 3], values: [0, 0, 1, 0, 2, 2] }
  await checkOperator({
    inputs: { mask },
    build: (value) => graph.nonZero(value('mask')),
    expected: [expected],
    types: ['int64'],
    isDataDependent: true,
  })
})

test('positions of a wrong element type and updates of a wrong shape are refused by name', () => {
  const g = new Graph({ name: 'wrong' })
  const table = g.input('table', 'float32', [10, 4])
  const ids = g.input('ids', 'float32', ['steps'])
  expect(() => graph.gather(table, ids)).toThrow(
    /Gather .*x = table: float32 \[10, 4\]; indices = ids: float32 \[steps\], expected indices to be int64, int32/,
  )
  const places = g.input('places', 'int64', ['steps', 1])
  expect(() => graph.scatterNd(table, places, g.input('rows', 'float32', ['steps', 5]))).toThrow(/ScatterND .*updates to be \[steps, 4\]/)
  expect(() => graph.gatherElements(table, g.input('flat', 'int64', [3]))).toThrow(/GatherElements .*indices to have 2 dimensions/)
})
