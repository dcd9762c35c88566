import * as graph from '@foretoken/graph'
import { Graph, type Value } from '@foretoken/graph'
import { describe, expect, test } from 'vitest'
import { at, checkOperator, floats, indexOf, integers, type Plain, plain, toPlain } from './check-operator.ts'

const x = floats([2, 3, 4])

/** Lists of the elements that fall together when axes are folded. */
function folded(source: Plain, axes: readonly number[], fold: (elements: readonly number[]) => number): Plain {
  const dims = source.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
  const lists = new Map<string, number[]>()
  source.values.forEach((value, flat) => {
    const key = indexOf(source.dims, flat)
      .map((place, axis) => (axes.includes(axis) ? 0 : place))
      .join()
    lists.set(key, [...(lists.get(key) ?? []), value])
  })
  return plain(dims, (index) => fold(lists.get(index.join()) ?? []))
}

function dropAxes({ dims, values }: Plain, axes: readonly number[]): Plain {
  return { dims: dims.filter((_, axis) => !axes.includes(axis)), values }
}

const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0)

const reductions: readonly (readonly [name: string, operator: graph.Reduction, fold: (list: readonly number[]) => number])[] = [
  ['reduceSum', graph.reduceSum, sum],
  ['reduceMean', graph.reduceMean, (list) => sum(list) / list.length],
  ['reduceProduct', graph.reduceProduct, (list) => list.reduce((total, value) => total * value, 1)],
  ['reduceL2', graph.reduceL2, (list) => Math.sqrt(sum(list.map((value) => value * value)))],
  ['reduceMax', graph.reduceMax, (list) => Math.max(...list)],
  ['reduceMin', graph.reduceMin, (list) => Math.min(...list)],
]

describe.each(reductions)('%s', (_, operator, fold) => {
  test.each([
    { axes: [-1], absolute: [2] },
    { axes: [0, 2], absolute: [0, 2] },
    { axes: undefined, absolute: [0, 1, 2] },
    { axes: [], absolute: [] },
  ])('over $axes', async ({ axes, absolute }) => {
    const kept = folded(toPlain(x), absolute, fold)
    await checkOperator({
      inputs: { x },
      build: (value) => [operator(value('x'), axes), operator(value('x'), axes, { keepDims: false })],
      expected: [kept, dropAxes(kept, absolute)],
    })
  })
})

test('argMax gives the first of equals', async () => {
  const equal = integers('float32', [3, 5], 0, 2)
  const expected = folded(toPlain(equal), [1], (list) => list.indexOf(Math.max(...list)))
  const build = (value: (name: string) => Value) => [graph.argMax(value('x')), graph.argMax(value('x'), { axis: -1, keepDims: false })]
  await checkOperator({ inputs: { x: equal }, build, expected: [expected, dropAxes(expected, [1])], types: ['int64', 'int64'] })
})

test('topK gives values and positions, the lower position first among equals', async () => {
  const equal = integers('float32', [3, 7], 0, 3)
  const order = Array.from({ length: 3 }, (_, row) =>
    [0, 1, 2, 3, 4, 5, 6].sort((a, b) => at(toPlain(equal), [row, b]) - at(toPlain(equal), [row, a]) || a - b),
  )
  const positions = plain([3, 4], ([row = 0, place = 0]) => order[row]?.[place] ?? 0)
  const values = plain([3, 4], ([row = 0, place = 0]) => at(toPlain(equal), [row, at(positions, [row, place])]))
  await checkOperator({
    inputs: { x: equal },
    build: (value) => graph.topK(value('x'), 4),
    expected: [values, positions],
    types: ['float32', 'int64'],
  })
})

test('topK of the least along another axis, with k as a value', async () => {
  const k = { type: 'int64', dims: [1], values: [1] } as const
  const least = folded(toPlain(x), [1], (list) => Math.min(...list))
  await checkOperator({
    inputs: { x, k },
    build: (value) => graph.topK(value('x'), value('k'), { axis: 1, largest: false }),
    expected: [least, undefined],
    isDataDependent: true,
  })
})

test.each([
  { exclusive: false, reverse: false },
  { exclusive: true, reverse: false },
  { exclusive: true, reverse: true },
])('cumSum %o', async (options) => {
  const expected = plain([2, 3, 4], ([i = 0, j = 0, k = 0]) =>
    sum(
      [0, 1, 2]
        .filter((other) => (options.reverse ? other > j : other < j) || (!options.exclusive && other === j))
        .map((other) => at(toPlain(x), [i, other, k])),
    ),
  )
  await checkOperator({ inputs: { x }, build: (value) => graph.cumSum(value('x'), -2, options), expected: [expected] })
})

test.each([{ axis: -1 }, { axis: 1 }])('softmax and logSoftmax along $axis', async ({ axis }) => {
  const sums = folded(toPlain(x), [axis === -1 ? 2 : 1], (list) => sum(list.map(Math.exp)))
  const expected = plain([2, 3, 4], (index) => Math.exp(at(toPlain(x), index)) / at(sums, index))
  const logs = { dims: expected.dims, values: expected.values.map(Math.log) }
  await checkOperator({
    inputs: { x },
    build: (value) => [graph.softmax(value('x'), { axis }), graph.logSoftmax(value('x'), { axis })],
    expected: [expected, logs],
  })
})

test('an axis that is not there is refused by name', () => {
  const g = new Graph({ name: 'wrong' })
  const value = g.input('scores', 'float32', [2, 'steps'])
  expect(() => graph.reduceSum(value, [2])).toThrow(
    /ReduceSum \(node ReduceSum.*axis 2 with x = scores: float32 \[2, steps\].*expected an axis from -2 to 1/,
  )
  expect(() => graph.reduceSum(value, [1, -1])).toThrow('each axis at most once')
  expect(() => graph.softmax(g.input('ids', 'int64', [2]))).toThrow(/Softmax .*x to be float32/)
  expect(() => graph.topK(value, 3, { axis: 0 })).toThrow('k = 3')
})
