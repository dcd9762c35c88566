import * as graph from '@foretoken/graph'
import { Graph } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { runGraph } from '../run-graph.ts'
import { at, checkOperator, floats, plain, toPlain } from './check-operator.ts'

const x = floats([2, 3, 4])

test('reshape keeps the order of the elements, infers one dimension and accepts empty tensors', async () => {
  await checkOperator({
    inputs: { x, empty: { type: 'float32', dims: [0, 3], values: [] } },
    fixed: ['x'],
    build: (value) => [graph.reshape(value('x'), [6, 4]), graph.reshape(value('x'), [-1, 2]), graph.reshape(value('empty'), [3, 0, 5])],
    expected: [
      { ...toPlain(x), dims: [6, 4] },
      { ...toPlain(x), dims: [12, 2] },
      { dims: [3, 0, 5], values: [] },
    ],
  })
})

test('reshape of symbolic dimensions is told to the runtime by copying and inferring', async () => {
  const g = new Graph({ name: 'symbols' })
  const value = g.input('x', 'float32', ['batch', 'steps', 12])
  const heads = graph.reshape(value, ['batch', 'steps', 3, 4])
  g.output('heads', heads)
  const rows = graph.reshape(heads, [-1, 12])
  expect(rows.dims).toEqual(['batch*steps', 12])
  g.output('rows', rows)
  g.output('merged', graph.reshape(heads, ['batch', '3*steps', 4]))
  const { heads: a, rows: b, merged: c } = await runGraph(g, { x: floats([2, 5, 12]) })
  expect([a?.dims, b?.dims, c?.dims]).toEqual([
    [2, 5, 3, 4],
    [10, 12],
    [2, 15, 4],
  ])
})

test('reshape that is provably wrong is refused, and what cannot be decided is accepted', () => {
  const g = new Graph({ name: 'symbols' })
  const value = g.input('hidden', 'float32', ['past', 'tail+steps', 64])
  expect(() => graph.reshape(value, ['past', 'tail+steps', 8, 9], { name: 'heads' })).toThrow(
    /Reshape \(node heads\): found x = hidden: float32 \[past, tail\+steps, 64\].* expected as many elements as \[past, tail\+steps, 8, 9\]/,
  )
  expect(() => graph.reshape(value, ['past', 'steps', 64])).toThrow('as many elements')
  expect(graph.reshape(value, ['past', 'rows', 64]).dims).toEqual(['past', 'rows', 64])
  expect(() => graph.reshape(value, ['a', 'b', 64])).toThrow('at most one symbolic dimension')
  expect(() => graph.reshape(g.input('w', 'float32', [7]), [2, -1])).toThrow('7 elements')
})

test('reshapeTo takes the dimensions from a vector that the graph computes', async () => {
  await checkOperator({
    inputs: { x, like: floats([6, 4]) },
    build: (value) => graph.reshapeTo(value('x'), graph.shapeOf(value('like'))),
    expected: [{ ...toPlain(x), dims: [6, 4] }],
  })
})

test('a vector of sizes that holds a negative number is refused', () => {
  const g = new Graph({ name: 'wrong' })
  const value = g.input('x', 'float32', [2, 3])
  const shape = g.constant('int64', [2], [-1, 6])
  expect(() => graph.reshapeTo(value, shape)).toThrow(/Reshape .*shape to hold sizes, not \[-1, 6\]/)
  expect(() => graph.expand(value, shape)).toThrow('shape to hold sizes')
})

test('transpose', async () => {
  const expected = plain([4, 2, 3], ([k = 0, i = 0, j = 0]) => at(toPlain(x), [i, j, k]))
  await checkOperator({ inputs: { x }, build: (value) => graph.transpose(value('x'), [2, 0, 1]), expected: [expected] })
})

test('squeeze and unsqueeze', async () => {
  const thin = floats([1, 3, 1])
  await checkOperator({
    inputs: { thin },
    build: (value) => [graph.squeeze(value('thin'), [0, -1]), graph.squeeze(value('thin'), [2]), graph.unsqueeze(value('thin'), [0, -1])],
    expected: [
      { ...toPlain(thin), dims: [3] },
      { ...toPlain(thin), dims: [1, 3] },
      { ...toPlain(thin), dims: [1, 1, 3, 1, 1] },
    ],
  })
})

test('expand by numbers, by the shape of another value, and by symbols of inputs', async () => {
  const thin = floats([3, 1])
  const expected = plain([2, 3, 4], (index) => at(toPlain(thin), index))
  await checkOperator({
    inputs: { thin, x },
    build: (value) => [graph.expand(value('thin'), graph.shapeOf(value('x'))), graph.expand(value('thin'), value('x').dims)],
    expected: [expected, expected],
  })
})

test('tile', async () => {
  const small = floats([2, 3])
  const expected = plain([4, 9], ([i = 0, j = 0]) => at(toPlain(small), [i % 2, j % 3]))
  await checkOperator({ inputs: { small }, build: (value) => graph.tile(value('small'), [2, 3]), expected: [expected] })
})

test('shapes computed in the graph are known while building, through arithmetic, joining and cutting', async () => {
  await checkOperator({
    inputs: { x },
    build: (value) => {
      const shape = graph.shapeOf(value('x'))
      const doubled = graph.multiply(graph.gather(shape, value('x').graph.constant('int64', [1], [1])), 2)
      const target = graph.concat([graph.slice(shape, { axis: 0, start: 0, end: 1 }), doubled, graph.shapeOf(value('x'), { start: -1 })], {
        axis: 0,
      })
      return graph.constantOfShape(value('x').graph, target, 7)
    },
    expected: [plain([2, 6, 4], () => 7)],
  })
})

test('constantOfShape from dimensions, of another type', async () => {
  await checkOperator({
    inputs: { x },
    build: (value) => graph.constantOfShape(value('x').graph, value('x').dims, 3, 'int64'),
    expected: [plain([2, 3, 4], () => 3)],
    types: ['int64'],
  })
})

test('a vector of dimensions can hold sums and products of symbols', async () => {
  const g = new Graph({ name: 'vector' })
  g.input('x', 'float32', ['past', 'steps'])
  g.output('dims', graph.shapeVector(g, ['past+steps', '2*past*steps', 5]))
  const { dims } = await runGraph(g, { x: floats([3, 4]) })
  expect(dims?.values).toEqual([7, 24, 5])
  expect(() => graph.shapeVector(g, ['batch'])).toThrow('batch, which no input has')
})

test('range counts up to a value', async () => {
  const limit = { type: 'int64', dims: [], values: [5] } as const
  await checkOperator({
    inputs: { limit },
    build: (value) => [graph.range(0, value('limit')), graph.range(value('limit'), -3, -2)],
    expected: [
      { dims: [5], values: [0, 1, 2, 3, 4] },
      { dims: [4], values: [5, 3, 1, -1] },
    ],
    isDataDependent: true,
  })
})

test('range up to a dimension has that dimension', () => {
  const g = new Graph({ name: 'range' })
  const value = g.input('x', 'float32', ['steps', 4])
  const steps = graph.squeeze(graph.shapeOf(value, { end: 1 }), [0])
  expect(graph.range(0, steps).dims).toEqual(['steps'])
})

test('wrong axes and dimensions are refused by name', () => {
  const g = new Graph({ name: 'wrong' })
  const value = g.input('hidden', 'float32', [2, 'steps', 4])
  expect(() => graph.transpose(value, [0, 1])).toThrow(/Transpose .*all 3 axes/)
  expect(() => graph.squeeze(value, [0])).toThrow(/Squeeze .*axis 0 to be 1/)
  expect(() => graph.expand(value, [2, 5, 4])).toThrow(/Expand .*steps meets 5/)
  expect(() => graph.assumeDims(value, [3, 'steps', 4])).toThrow(/assumeDims .*hidden: float32 \[2, steps, 4\]/)
})
