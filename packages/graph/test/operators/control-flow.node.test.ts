import * as graph from '@foretoken/graph'
import { Graph, type Value } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { runGraph } from '../run-graph.ts'
import { floats } from './check-operator.ts'

test('a branch reads values from outside and gives what it returns', async () => {
  const g = new Graph({ name: 'branch' })
  const x = g.input('x', 'float32', ['steps', 2])
  const flag = g.input('flag', 'bool', [])
  const doubled = graph.multiply(x, 2)
  const [y] = graph.branch(
    flag,
    () => [graph.add(doubled, 1)],
    () => [x],
  )
  if (y === undefined) throw new Error('no result')
  expect(y.dims).toEqual(['steps', 2])
  g.output('y', y)
  for (const [value, wanted] of [
    [1, [3, 5]],
    [0, [1, 2]],
  ] as const) {
    const { y: result } = await runGraph(g, {
      x: { type: 'float32', dims: [1, 2], values: [1, 2] },
      flag: { type: 'bool', dims: [], values: [value] },
    })
    expect(result).toMatchObject({ dims: [1, 2], values: wanted })
  }
})

test('dimensions in which branches differ are unknown, and different ranks and types are refused', () => {
  const g = new Graph({ name: 'branch' })
  const flag = g.input('flag', 'bool', [])
  const a = g.input('a', 'float32', ['past', 2])
  const b = g.input('b', 'float32', ['steps', 2])
  const choose = (one: Value, other: Value) =>
    graph.branch(
      flag,
      () => [one],
      () => [other],
    )
  expect(choose(a, b)[0]?.dims[0]).toContain('#')
  expect(choose(a, b)[0]?.dims[1]).toBe(2)
  expect(() => choose(a, graph.cast(b, 'int64'))).toThrow(/If .*condition = flag.*result 0 of one element type, not float32 and int64/)
  expect(() => choose(a, graph.reduceSum(b))).not.toThrow()
  expect(() => choose(a, graph.reduceSum(b, undefined, { keepDims: false }))).toThrow('result 0 of one rank')
})

test('values of a finished branch cannot be used outside', () => {
  const g = new Graph({ name: 'leak' })
  const flag = g.input('flag', 'bool', [])
  const x = g.input('x', 'float32', [2])
  let inner = x
  const build = () => {
    inner = graph.negate(x)
    return [inner]
  }
  graph.branch(flag, build, () => [x])
  expect(() => graph.add(inner, 1)).toThrow(/Add .*found If\.then\.Neg, which was computed in a branch or loop body that is finished/)
})

test('a loop carries values, collects rounds, and its number of rounds is a dimension', async () => {
  const g = new Graph({ name: 'loop' })
  const x = g.input('x', 'float32', ['steps'])
  const { carried, collected } = graph.loop(
    [x],
    (round, [state = x]) => {
      const next = graph.add(state, graph.cast(round, 'float32'))
      return { carried: [next], collected: [next] }
    },
    { count: 4 },
  )
  const [last] = carried
  const [all] = collected
  if (last === undefined || all === undefined) throw new Error('no result')
  expect([last.dims, all.dims]).toEqual([['steps'], [4, 'steps']])
  g.output('last', last)
  g.output('all', all)
  const results = await runGraph(g, { x: { type: 'float32', dims: [2], values: [10, 20] } })
  expect(results).toMatchObject({ last: { values: [16, 26] }, all: { dims: [4, 2], values: [10, 20, 11, 21, 13, 23, 16, 26] } })
})

test('a loop ends when its condition does', async () => {
  const g = new Graph({ name: 'loop' })
  const start = g.input('start', 'int64', [])
  const { carried, collected } = graph.loop(
    [start],
    (_, [state = start]) => {
      const next = graph.multiply(state, 2)
      return { condition: graph.less(next, 100), carried: [next], collected: [next] }
    },
    {},
  )
  for (const [place, value] of [...carried, ...collected].entries()) g.output(`result ${place}`, value)
  expect(await runGraph(g, { start: { type: 'int64', dims: [], values: [10] } })).toMatchObject({
    'result 0': { values: [160] },
    'result 1': { dims: [4], values: [20, 40, 80, 160] },
  })
})

test('a carried value that changes its shape or type is refused, and so is a loop without an end', () => {
  const g = new Graph({ name: 'loop' })
  const x = g.input('x', 'float32', ['steps'])
  expect(() => graph.loop([x], (_, [state = x]) => ({ carried: [graph.concat([state, x], { axis: 0 })] }), { count: 2 })).toThrow(
    /Loop .*carried value 0 to stay \[steps\], not \[2\*steps\]/,
  )
  expect(() => graph.loop([x], () => ({ carried: [graph.cast(x, 'int64')] }), { count: 2 })).toThrow('carried value 0 to stay float32')
  expect(() => graph.loop([x], () => ({ carried: [x] }), {})).toThrow('a loop that can end')
})

test('scan goes over the first axis of sequences', async () => {
  const g = new Graph({ name: 'scan' })
  const rows = g.input('rows', 'float32', ['steps', 2])
  const start = g.constant('float32', [2], [0, 0])
  const { carried, collected } = graph.scan([start], [rows], ([state = start], [row = start]) => {
    const next = graph.add(state, row)
    return { carried: [next], collected: [graph.multiply(next, 10)] }
  })
  for (const [place, value] of [...carried, ...collected].entries()) g.output(`result ${place}`, value)
  expect(collected[0]?.dims).toEqual(['steps', 2])
  const results = await runGraph(g, { rows: { ...floats([3, 2]), values: [1, 2, 3, 4, 5, 6] } })
  expect(results).toMatchObject({ 'result 0': { values: [9, 12] }, 'result 1': { dims: [3, 2], values: [10, 20, 40, 60, 90, 120] } })
})

test('a branch inside of a scope is named once by it, and may read what is an output of the graph', async () => {
  const g = new Graph({ name: 'names' })
  const x = g.input('x', 'float32', [2])
  const flag = g.input('flag', 'bool', [])
  const sum = graph.add(x, 1)
  g.output('sum', sum)
  let inner = x
  const build = () => {
    inner = graph.negate(sum)
    return [inner]
  }
  const [y = x] = g.scope('layer.0', () => graph.branch(flag, build, () => [sum]))
  expect(inner.name).toBe('layer.0.If.then.Neg')
  g.output('y', y)
  const feeds = { x: { type: 'float32', dims: [2], values: [1, 2] }, flag: { type: 'bool', dims: [], values: [1] } } as const
  expect(await runGraph(g, feeds)).toMatchObject({ sum: { values: [2, 3] }, y: { values: [-2, -3] } })
})

test('linear layers of one input inside of a branch and after it do not share what only the branch computed', async () => {
  const g = new Graph({ name: 'caches' })
  const x = g.input('x', 'float32', [1, 'steps', 4])
  const flag = g.input('flag', 'bool', [])
  const rows = () => graph.cast(graph.quantizeRows(x).values, 'float32')
  const [inner] = graph.branch(
    flag,
    () => [rows()],
    () => [x],
  )
  g.output('outer', rows())
  if (inner !== undefined) g.output('inner', inner)
  const results = await runGraph(g, { x: floats([1, 2, 4]), flag: { type: 'bool', dims: [], values: [1] } })
  expect(results.inner?.values).toEqual(results.outer?.values)
})
