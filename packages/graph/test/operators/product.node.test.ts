import { einsum, fusedMatMul, Graph, gemm, matMul } from '@foretoken/graph'
import { describe, expect, test } from 'vitest'
import { at, checkOperator, floats, type Plain, plain, toPlain } from './check-operator.ts'

/** `sum over k of a[..., i, k] b[..., k, j]` with broadcast batches, dimensions given. */
function product(dims: readonly number[], inner: number, a: Plain, b: Plain, factor = 1): Plain {
  return plain(dims, (index) => {
    const batch = index.slice(0, -2)
    const [row = 0, column = 0] = index.slice(-2)
    let sum = 0
    for (let k = 0; k < inner; k++) sum += at(a, [...batch, row, k]) * at(b, [...batch, k, column])
    return sum * factor
  })
}

function permuted(x: Plain, axes: readonly number[]): Plain {
  return plain(
    axes.map((axis) => x.dims[axis] ?? 1),
    (index) => {
      const source: number[] = []
      axes.forEach((axis, place) => {
        source[axis] = index[place] ?? 0
      })
      return at(x, source)
    },
  )
}

test.each([
  { a: [3, 4], b: [4, 5], dims: [3, 5] },
  { a: [2, 3, 4], b: [4, 5], dims: [2, 3, 5] },
  { a: [2, 1, 3, 4], b: [6, 4, 5], dims: [2, 6, 3, 5] },
  { a: [1, 4], b: [4, 1], dims: [1, 1] },
])('matMul of $a by $b', async ({ a, b, dims }) => {
  const left = floats(a)
  const right = floats(b, 4)
  await checkOperator({
    inputs: { a: left, b: right },
    build: (value) => matMul(value('a'), value('b')),
    expected: [product(dims, 4, toPlain(left), toPlain(right))],
  })
})

test('matMul of vectors: one row, one column, a number', async () => {
  const vector = floats([4])
  const matrix = floats([4, 3], 3)
  const other = floats([3, 4], 5)
  const expected = [
    plain([3], ([j = 0]) => toPlain(vector).values.reduce((sum, x, k) => sum + x * at(toPlain(matrix), [k, j]), 0)),
    plain([3], ([i = 0]) => toPlain(vector).values.reduce((sum, x, k) => sum + x * at(toPlain(other), [i, k]), 0)),
    plain([], () => toPlain(vector).values.reduce((sum, x) => sum + x * x, 0)),
  ]
  await checkOperator({
    inputs: { vector, matrix, other },
    build: (value) => [
      matMul(value('vector'), value('matrix')),
      matMul(value('other'), value('vector')),
      matMul(value('vector'), value('vector')),
    ],
    expected,
  })
})

describe('fusedMatMul', () => {
  test('a transposed second operand and a factor', async () => {
    const a = floats([2, 3, 4])
    const b = floats([2, 5, 4], 4)
    await checkOperator({
      inputs: { a, b },
      build: (value) => fusedMatMul(value('a'), value('b'), { transposeB: true, alpha: 0.125 }),
      expected: [product([2, 3, 5], 4, toPlain(a), permuted(toPlain(b), [0, 2, 1]), 0.125)],
    })
  })

  test('rows of a token-major cache are read as batches of heads, with and without the inner transpose', async () => {
    const queries = floats([3, 7, 4])
    const cache = floats([5, 3, 4], 4)
    const scores = floats([3, 7, 5], 6)
    await checkOperator({
      inputs: { queries, cache, scores },
      build: (value) => [
        fusedMatMul(value('queries'), value('cache'), { transposeB: true, transposeBatchB: true }),
        fusedMatMul(value('scores'), value('cache'), { transposeBatchB: true }),
      ],
      expected: [
        product([3, 7, 5], 4, toPlain(queries), permuted(toPlain(cache), [1, 2, 0])),
        product([3, 7, 4], 5, toPlain(scores), permuted(toPlain(cache), [1, 0, 2])),
      ],
    })
  })

  test('a transposed first operand, also with moved batches', async () => {
    const a = floats([2, 4, 3])
    const tokenMajor = floats([5, 2, 3], 2)
    const b = floats([2, 4, 6], 4)
    const c = floats([2, 3, 6], 5)
    await checkOperator({
      inputs: { a, tokenMajor, b, c },
      build: (value) => [
        fusedMatMul(value('a'), value('b'), { transposeA: true }),
        fusedMatMul(value('tokenMajor'), value('c'), { transposeBatchA: true }),
      ],
      expected: [
        product([2, 3, 6], 4, permuted(toPlain(a), [0, 2, 1]), toPlain(b)),
        product([2, 5, 6], 3, permuted(toPlain(tokenMajor), [1, 0, 2]), toPlain(c)),
      ],
    })
  })
})

test.each([
  { transposeA: false, transposeB: false, alpha: 1, beta: 1 },
  { transposeA: true, transposeB: true, alpha: 0.5, beta: 2 },
])('gemm %o', async ({ transposeA, transposeB, alpha, beta }) => {
  const a = floats(transposeA ? [4, 3] : [3, 4])
  const b = floats(transposeB ? [5, 4] : [4, 5], 4)
  const c = floats([5], 6)
  const left = transposeA ? permuted(toPlain(a), [1, 0]) : toPlain(a)
  const right = transposeB ? permuted(toPlain(b), [1, 0]) : toPlain(b)
  const part = product([3, 5], 4, left, right, alpha)
  await checkOperator({
    inputs: { a, b, c },
    build: (value) => gemm(value('a'), value('b'), value('c'), { transposeA, transposeB, alpha, beta }),
    expected: [plain([3, 5], (index) => at(part, index) + beta * at(toPlain(c), index))],
  })
})

test('einsum', async () => {
  const a = floats([2, 3, 4])
  const b = floats([2, 5, 4], 3)
  const expected = [
    plain([3, 2, 5], ([i = 0, h = 0, j = 0]) =>
      [0, 1, 2, 3].reduce((sum, d) => sum + at(toPlain(a), [h, i, d]) * at(toPlain(b), [h, j, d]), 0),
    ),
    plain([2], ([h = 0]) => plain([3, 4], ([i = 0, d = 0]) => at(toPlain(a), [h, i, d])).values.reduce((sum, x) => sum + x, 0)),
  ]
  await checkOperator({
    inputs: { a, b },
    build: (value) => [einsum('hid,hjd->ihj', [value('a'), value('b')]), einsum('hid->h', [value('a')])],
    expected,
  })
})

test('products that cannot be are refused with the dimensions that do not meet', () => {
  const graph = new Graph({ name: 'wrong' })
  const a = graph.input('a', 'float32', [2, 'steps', 4])
  const b = graph.input('b', 'float32', [3, 4, 5])
  expect(() => matMul(a, b)).toThrow('2 meets 3')
  expect(() => fusedMatMul(a, b, { transposeB: true })).toThrow('4 meets 5')
  expect(() => gemm(a, b)).toThrow(/Gemm .*a to have 2 dimensions/)
  expect(() => einsum('bij,bjk->bik', [a, b])).toThrow("'b', which is 2 and 3")
})
