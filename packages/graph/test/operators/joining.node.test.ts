import * as graph from '@foretoken/graph'
import { Graph } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { at, checkOperator, floats, plain, toPlain } from './check-operator.ts'

const x = floats([4, 5, 6])

test('concat along any axis', async () => {
  const y = floats([4, 2, 6], 3)
  const expected = plain([4, 7, 6], ([i = 0, j = 0, k = 0]) => (j < 5 ? at(toPlain(x), [i, j, k]) : at(toPlain(y), [i, j - 5, k])))
  await checkOperator({ inputs: { x, y }, build: (value) => graph.concat([value('x'), value('y')], { axis: -2 }), expected: [expected] })
})

test('concat of two symbols gives their sum in that order', () => {
  const g = new Graph({ name: 'sum' })
  const tail = g.input('tail', 'float32', ['tail', 64])
  const rows = g.input('rows', 'float32', ['steps', 64])
  expect(graph.concat([tail, rows], { axis: 0 }).dims).toEqual(['tail+steps', 64])
  expect(() => graph.concat([tail, rows], { axis: 1 })).toThrow(
    /Concat .*input 0 = tail: float32 \[tail, 64\]; input 1 = rows: float32 \[steps, 64\].*tail meets steps/,
  )
})

test('split by sizes', async () => {
  const part = (from: number, size: number) => plain([4, 5, size], ([i = 0, j = 0, k = 0]) => at(toPlain(x), [i, j, from + k]))
  await checkOperator({
    inputs: { x },
    fixed: ['x'],
    build: (value) => graph.split(value('x'), [1, 2, 3], { axis: -1 }),
    expected: [part(0, 1), part(1, 2), part(3, 3)],
  })
})

test('split by symbolic sizes with the lengths as a value', async () => {
  const lengths = { type: 'int64', dims: [2], values: [3, 2] } as const
  await checkOperator({
    inputs: { x, lengths, like: floats([3, 2]) },
    fixed: ['x', 'lengths'],
    build: (value) => graph.split(value('x'), value('like').dims, { axis: 1, lengths: value('lengths') }),
    expected: [
      plain([4, 3, 6], (index) => at(toPlain(x), index)),
      plain([4, 2, 6], ([i = 0, j = 0, k = 0]) => at(toPlain(x), [i, j + 3, k])),
    ],
  })
})

test('split into sizes that do not sum up is refused', () => {
  const g = new Graph({ name: 'wrong' })
  const qkv = g.input('qkv', 'float32', ['steps', 96])
  expect(() => graph.split(qkv, [32, 32], { axis: 1 })).toThrow(/Split .*x = qkv: float32 \[steps, 96\].*sizes \[32, 32\] to sum to 96/)
  expect(() => graph.split(qkv, [2, 3], { axis: 0 })).toThrow('assumeDims')
})

test.each([
  { ranges: [{ axis: 0, start: 1, end: 3 }], dims: [2, 5, 6], pick: (i: number, j: number, k: number) => [i + 1, j, k] },
  { ranges: [{ axis: -1, start: -2 }], dims: [4, 5, 2], pick: (i: number, j: number, k: number) => [i, j, k + 4] },
  { ranges: [{ axis: 1, step: 2 }], dims: [4, 3, 6], pick: (i: number, j: number, k: number) => [i, 2 * j, k] },
  { ranges: [{ axis: 1, step: -1 }], dims: [4, 5, 6], pick: (i: number, j: number, k: number) => [i, 4 - j, k] },
  { ranges: [{ axis: 2, start: 4, end: 0, step: -2 }], dims: [4, 5, 2], pick: (i: number, j: number, k: number) => [i, j, 4 - 2 * k] },
  {
    ranges: [
      { axis: 0, end: 100 },
      { axis: 1, start: 4, end: 2 },
    ],
    dims: [4, 0, 6],
    pick: () => [0, 0, 0],
  },
  {
    ranges: [
      { axis: 0, end: -1 },
      { axis: 2, start: 0, end: 6 },
    ],
    dims: [3, 5, 6],
    pick: (i: number, j: number, k: number) => [i, j, k],
  },
])('slice %o', async ({ ranges, dims, pick }) => {
  const expected = plain(dims, ([i = 0, j = 0, k = 0]) => at(toPlain(x), pick(i, j, k)))
  await checkOperator({ inputs: { x }, build: (value) => graph.slice(value('x'), ranges), expected: [expected] })
})

test('slice at places that are values', async () => {
  const from = { type: 'int64', dims: [1], values: [2] } as const
  const expected = plain([2, 5, 6], ([i = 0, j = 0, k = 0]) => at(toPlain(x), [i + 2, j, k]))
  await checkOperator({
    inputs: { x, from },
    build: (value) => graph.slice(value('x'), { axis: 0, start: value('from') }),
    expected: [expected],
    isDataDependent: true,
  })
})

test('a slice of a symbolic axis has a dimension only where every size gives the same', () => {
  const g = new Graph({ name: 'slices' })
  const rows = g.input('rows', 'float32', ['past+2', 'steps'])
  expect(graph.slice(rows, { axis: 0, start: 1 }).dims[0]).toBe('past+1')
  expect(graph.slice(rows, { axis: 0, start: -2 }).dims[0]).toBe(2)
  expect(graph.slice(rows, { axis: 0, end: -1 }).dims[0]).toBe('past+1')
  expect(graph.slice(rows, { axis: 1 }).dims[1]).toBe('steps')
  expect(graph.slice(rows, { axis: 1, start: 1 }).dims[1]).toContain('#')
})

test('pad with a constant, by the edge, and by cutting', async () => {
  const small = floats([2, 3])
  const constant = plain([3, 6], ([i = 0, j = 0]) => (i >= 1 && j >= 1 && j < 4 ? at(toPlain(small), [i - 1, j - 1]) : 9))
  const edge = plain([2, 5], ([i = 0, j = 0]) => at(toPlain(small), [i, Math.min(j, 2)]))
  await checkOperator({
    inputs: { small },
    build: (value) => [
      graph.pad(
        value('small'),
        [
          { axis: 0, before: 1 },
          { axis: -1, before: 1, after: 2 },
        ],
        { value: 9 },
      ),
      graph.pad(value('small'), [{ axis: 1, after: 2 }], { mode: 'edge' }),
      graph.pad(value('small'), [{ axis: 0, after: 0 }]),
    ],
    expected: [constant, edge, toPlain(small)],
  })
  await checkOperator({
    inputs: { small },
    fixed: ['small'],
    build: (value) => graph.pad(value('small'), [{ axis: 1, before: -1 }]),
    expected: [plain([2, 2], ([i = 0, j = 0]) => at(toPlain(small), [i, j + 1]))],
  })
})

test.each([
  { upper: true, diagonal: 0 },
  { upper: false, diagonal: 1 },
  { upper: true, diagonal: -2 },
])('trilu %o', async ({ upper, diagonal }) => {
  const expected = plain([4, 5, 6], ([i = 0, j = 0, k = 0]) =>
    (upper ? k - j >= diagonal : k - j <= diagonal) ? at(toPlain(x), [i, j, k]) : 0,
  )
  await checkOperator({ inputs: { x }, build: (value) => graph.trilu(value('x'), { upper, diagonal }), expected: [expected] })
})

test('resize by whole factors repeats the nearest, and linear goes between', async () => {
  const image = floats([1, 2, 3, 4])
  const nearest = plain([1, 2, 6, 8], ([n = 0, c = 0, i = 0, j = 0]) => at(toPlain(image), [n, c, Math.floor(i / 2), Math.floor(j / 2)]))
  const place = (index: number, size: number) => Math.min(Math.max((index + 0.5) / 2 - 0.5, 0), size - 1)
  const linear = plain([1, 2, 3, 8], ([n = 0, c = 0, i = 0, j = 0]) => {
    const from = place(j, 4)
    const low = Math.floor(from)
    const share = from - low
    return (1 - share) * at(toPlain(image), [n, c, i, low]) + share * at(toPlain(image), [n, c, i, Math.min(low + 1, 3)])
  })
  await checkOperator({
    inputs: { image },
    build: (value) => [graph.resize(value('image'), [1, 1, 2, 2]), graph.resize(value('image'), [1, 1, 1, 2], { mode: 'linear' })],
    expected: [nearest, linear],
  })
})
