import * as graph from '@foretoken/graph'
import { Graph, type Value } from '@foretoken/graph'
import type { DType } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import type { Fed } from '../run-graph.ts'
import { at, checkOperator, floats, integers, type Plain, plain, toPlain } from './check-operator.ts'

/** erf by its Taylor series; exact enough for |x| <= 3. */
function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

function roundToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1
}

const tanhGelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
const exactGelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2))

const signed = floats([2, 3, 4])
const positive: Fed = { ...signed, values: signed.values.map((value) => Math.abs(Number(value)) + 0.25) }

const unary: readonly (readonly [name: string, operator: (x: Value) => Value, reference: (x: number) => number, input?: Fed])[] = [
  ['squareRoot', graph.squareRoot, Math.sqrt, positive],
  ['reciprocal', graph.reciprocal, (x) => 1 / x, positive],
  ['negate', graph.negate, (x) => -x],
  ['absolute', graph.absolute, Math.abs],
  ['sign', graph.sign, Math.sign],
  ['exponential', graph.exponential, Math.exp],
  ['logarithm', graph.logarithm, Math.log, positive],
  ['sine', graph.sine, Math.sin],
  ['cosine', graph.cosine, Math.cos],
  ['tanh', graph.tanh, Math.tanh],
  ['sigmoid', graph.sigmoid, (x) => 1 / (1 + Math.exp(-x))],
  ['softplus', graph.softplus, (x) => Math.log1p(Math.exp(x))],
  ['erf', graph.erf, erf],
  ['relu', graph.relu, (x) => Math.max(x, 0)],
  ['floor', graph.floor, Math.floor],
  ['ceil', graph.ceil, Math.ceil],
  ['round', graph.round, roundToEven],
  [
    'isNotANumber',
    graph.isNotANumber,
    (x) => Number(Number.isNaN(x)),
    { ...signed, values: signed.values.map((x, i) => (i % 3 === 0 ? Number.NaN : x)) },
  ],
  ['gelu', graph.gelu, exactGelu],
  ['gelu by tanh', (x) => graph.gelu(x, { approximation: 'tanh' }), tanhGelu],
  ['fastGelu', graph.fastGelu, tanhGelu],
  ['quickGelu', graph.quickGelu, (x) => x / (1 + Math.exp(-1.702 * x))],
  ['quickGelu as SiLU', (x) => graph.quickGelu(x, { alpha: 1 }), (x) => x / (1 + Math.exp(-x))],
  ['clip', (x) => graph.clip(x, -0.5, 1), (x) => Math.min(Math.max(x, -0.5), 1)],
  ['clip from below', (x) => graph.clip(x, 0.25), (x) => Math.max(x, 0.25)],
  ['identity', graph.identity, (x) => x],
  ['power with a number', (x) => graph.power(x, 2), (x) => x * x],
  ['cast to int32', (x) => graph.cast(x, 'int32'), Math.trunc],
  ['cast to bool', (x) => graph.cast(x, 'bool'), (x) => Number(x !== 0)],
]

test.each(unary.map(([name, operator, reference, input = signed]) => ({ name, operator, reference, input })))(
  '$name',
  async ({ operator, reference, input }) => {
    await checkOperator({
      inputs: { x: input },
      build: (value) => operator(value('x')),
      expected: [{ dims: input.dims, values: input.values.map((x) => reference(Number(x))) }],
    })
  },
)

test('not', async () => {
  const x = integers('bool', [5], 0, 1)
  await checkOperator({
    inputs: { x },
    build: (value) => graph.not(value('x')),
    expected: [{ dims: [5], values: x.values.map((bit) => 1 - Number(bit)) }],
  })
})

type Binary = readonly [
  name: string,
  operator: (a: Value, b: Value) => Value,
  reference: (a: number, b: number) => number,
  type: DType,
  result: DType,
]

const binary: readonly Binary[] = [
  ['add', graph.add, (a, b) => a + b, 'float32', 'float32'],
  ['subtract', graph.subtract, (a, b) => a - b, 'float32', 'float32'],
  ['multiply', graph.multiply, (a, b) => a * b, 'float32', 'float32'],
  ['divide', graph.divide, (a, b) => a / b, 'float32', 'float32'],
  ['divide of whole numbers', graph.divide, (a, b) => Math.trunc(a / b), 'int64', 'int64'],
  ['minimum', (a, b) => graph.minimum([a, b]), Math.min, 'float32', 'float32'],
  ['maximum', (a, b) => graph.maximum([a, b]), Math.max, 'float32', 'float32'],
  ['mod of whole numbers', graph.mod, (a, b) => ((a % b) + b) % b, 'int64', 'int64'],
  ['mod of fractions', graph.mod, (a, b) => a % b, 'float32', 'float32'],
  ['power', (a, b) => graph.power(graph.absolute(a), b), (a, b) => Math.abs(a) ** b, 'float32', 'float32'],
  ['equal', graph.equal, (a, b) => Number(a === b), 'int64', 'bool'],
  ['less', graph.less, (a, b) => Number(a < b), 'float32', 'bool'],
  ['lessOrEqual', graph.lessOrEqual, (a, b) => Number(a <= b), 'int64', 'bool'],
  ['greater', graph.greater, (a, b) => Number(a > b), 'float32', 'bool'],
  ['greaterOrEqual', graph.greaterOrEqual, (a, b) => Number(a >= b), 'int64', 'bool'],
  ['and', graph.and, (a, b) => a & b, 'bool', 'bool'],
  ['or', graph.or, (a, b) => a | b, 'bool', 'bool'],
]

function operandOf(type: DType, dims: readonly number[], seed: number): Fed {
  if (type === 'bool') return integers('bool', dims, 0, 1, seed)
  const fed = type === 'int64' ? integers(type, dims, -4, 4, seed) : floats(dims, seed)
  return { ...fed, values: fed.values.map((value) => (Number(value) === 0 ? 1 : value)) }
}

describe.each([
  { a: [2, 3, 4], b: [2, 3, 4] },
  { a: [2, 3, 4], b: [3, 1] },
  { a: [4], b: [2, 3, 1] },
  { a: [], b: [3, 1] },
])('$a with $b', ({ a, b }) => {
  const rank = Math.max(a.length, b.length)
  const dims = Array.from({ length: rank }, (_, axis) => Math.max(a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1))

  test.each(binary)('%s', async (_, operator, reference, type, result) => {
    const left = operandOf(type, a, 1)
    const right = operandOf(type, b, 5)
    const [one, other] = [left, right].map(toPlain)
    const expected = plain(dims, (index) => reference(at(one ?? NOTHING, index), at(other ?? NOTHING, index)))
    await checkOperator({
      inputs: { a: left, b: right },
      build: (value) => operator(value('a'), value('b')),
      expected: [expected],
      types: [result],
    })
  })

  test('where', async () => {
    const condition = integers('bool', [3, 1], 0, 1)
    const left = floats(a, 1)
    const right = floats(b, 5)
    const all = Array.from({ length: Math.max(rank, 2) }, (_, axis, size = Math.max(rank, 2)) =>
      Math.max(dims[axis - size + rank] ?? 1, [3, 1][axis - size + 2] ?? 1),
    )
    const expected = plain(all, (index) => at(toPlain(at(toPlain(condition), index) === 1 ? left : right), index))
    await checkOperator({
      inputs: { condition, a: left, b: right },
      build: (value) => graph.where(value('condition'), value('a'), value('b')),
      expected: [expected],
    })
  })
})

test('a number among the operands is a constant of the other element type', async () => {
  const x = integers('int64', [3], -4, 4)
  const build = (value: (name: string) => Value) => graph.subtract(10, graph.multiply(value('x'), 3))
  await checkOperator({
    inputs: { x },
    build,
    expected: [{ dims: [3], values: x.values.map((value) => 10 - 3 * Number(value)) }],
    types: ['int64'],
  })
})

test('biasGelu', async () => {
  const x = floats([2, 3])
  const bias = floats([3], 4)
  const expected = plain([2, 3], (index) => exactGelu(at(toPlain(x), index) + at(toPlain(bias), index)))
  await checkOperator({ inputs: { x, bias }, build: (value) => graph.biasGelu(value('x'), value('bias')), expected: [expected] })
})

test('two symbols of different names do not meet in one axis', () => {
  const g = new Graph({ name: 'symbols' })
  const a = g.input('a', 'float32', ['past', 64])
  const b = g.input('b', 'float32', ['steps', 64])
  expect(() => graph.add(a, b)).toThrow(/Add \(node Add.*a = a: float32 \[past, 64\]; b = b: float32 \[steps, 64\].*past meets steps/)
  expect(graph.add(graph.assumeDims(a, ['steps', 64]), b).dims).toEqual(['steps', 64])
})

test('operands of different element types are refused by name', () => {
  const g = new Graph({ name: 'types' })
  const a = g.input('a', 'float32', [2])
  const b = g.input('b', 'int64', [2])
  expect(() => graph.multiply(a, b, { name: 'scores' })).toThrow(
    /Mul \(node scores\): found a = a: float32 \[2\]; b = b: int64 \[2\], expected b to have the element type of a/,
  )
  expect(() => graph.exponential(b)).toThrow(/Exp .*x = b: int64 \[2\], expected x to be float32/)
})

const NOTHING: Plain = { dims: [], values: [] }
