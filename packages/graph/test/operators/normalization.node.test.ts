import * as graph from '@foretoken/graph'
import { Graph } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { at, checkOperator, floats, type Plain, plain, toPlain } from './check-operator.ts'

const x = floats([2, 3, 8])
const skip = floats([2, 3, 8], 4)
const scale = floats([8], 5)
const shift = floats([8], 6)

function row(source: Plain, index: readonly number[]): number[] {
  return Array.from({ length: source.dims.at(-1) ?? 0 }, (_, k) => at(source, [...index.slice(0, -1), k]))
}

const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length
const variance = (list: readonly number[]) => mean(list.map((value) => (value - mean(list)) ** 2))

function rms(source: Plain, epsilon: number): Plain {
  return plain(
    source.dims,
    (index) => (at(source, index) / Math.sqrt(mean(row(source, index).map((value) => value ** 2)) + epsilon)) * at(toPlain(scale), index),
  )
}

function layer(source: Plain, epsilon: number, hasShift: boolean): Plain {
  return plain(source.dims, (index) => {
    const list = row(source, index)
    return (
      ((at(source, index) - mean(list)) / Math.sqrt(variance(list) + epsilon)) * at(toPlain(scale), index) +
      (hasShift ? at(toPlain(shift), index) : 0)
    )
  })
}

const sums = plain([2, 3, 8], (index) => at(toPlain(x), index) + at(toPlain(skip), index))

test('rmsNormalization, also of a matrix', async () => {
  await checkOperator({
    inputs: { x, scale, flat: { ...x, dims: [6, 8] } },
    build: (value) => [
      graph.rmsNormalization(value('x'), value('scale'), { epsilon: 1e-3 }),
      graph.rmsNormalization(value('flat'), value('scale'), { epsilon: 1e-3 }),
    ],
    expected: [rms(toPlain(x), 1e-3), rms({ ...toPlain(x), dims: [6, 8] }, 1e-3)],
  })
})

test('skipRmsNormalization gives the normalised sum and the sum', async () => {
  const biased = plain([2, 3, 8], (index) => at(sums, index) + at(toPlain(shift), index))
  await checkOperator({
    inputs: { x, skip, scale, shift },
    build: (value) => [
      ...graph.skipRmsNormalization(value('x'), value('skip'), value('scale'), { epsilon: 1e-3 }),
      ...graph.skipRmsNormalization(value('x'), value('skip'), value('scale'), { epsilon: 1e-3, bias: value('shift') }),
    ],
    expected: [rms(sums, 1e-3), sums, rms(biased, 1e-3), biased],
  })
})

test('layerNormalization with and without a bias, over one and over two axes', async () => {
  const wide = floats([3, 8], 7)
  const overTwo = plain([2, 3, 8], ([i = 0, j = 0, k = 0]) => {
    const list = plain([3, 8], ([a = 0, b = 0]) => at(toPlain(x), [i, a, b])).values
    return ((at(toPlain(x), [i, j, k]) - mean(list)) / Math.sqrt(variance(list) + 1e-5)) * at(toPlain(wide), [j, k])
  })
  await checkOperator({
    inputs: { x, scale, shift, wide },
    build: (value) => [
      graph.layerNormalization(value('x'), value('scale'), value('shift'), { epsilon: 1e-3 }),
      graph.layerNormalization(value('x'), value('scale')),
      graph.layerNormalization(value('x'), value('wide'), undefined, { axis: -2 }),
    ],
    expected: [layer(toPlain(x), 1e-3, true), layer(toPlain(x), 1e-5, false), overTwo],
  })
})

test('skipLayerNormalization gives the normalised sum and the sum', async () => {
  await checkOperator({
    inputs: { x, skip, scale, shift },
    build: (value) => graph.skipLayerNormalization(value('x'), value('skip'), value('scale'), { epsilon: 1e-3, shift: value('shift') }),
    expected: [layer(sums, 1e-3, true), sums],
  })
})

test('groupNormalization', async () => {
  const image = floats([2, 4, 3, 2])
  const factor = floats([4], 5)
  const offset = floats([4], 6)
  const expected = plain([2, 4, 3, 2], ([n = 0, c = 0, i = 0, j = 0]) => {
    const list = plain([2, 3, 2], ([a = 0, b = 0, d = 0]) => at(toPlain(image), [n, Math.floor(c / 2) * 2 + a, b, d])).values
    return (
      ((at(toPlain(image), [n, c, i, j]) - mean(list)) / Math.sqrt(variance(list) + 1e-5)) * at(toPlain(factor), [c]) +
      at(toPlain(offset), [c])
    )
  })
  await checkOperator({
    inputs: { image, factor, offset },
    constants: ['factor', 'offset'],
    fixed: ['image'],
    build: (value) => graph.groupNormalization(value('image'), value('factor'), value('offset'), { groups: 2 }),
    expected: [expected],
  })
})

test('scales and residuals of another width are refused by name', () => {
  const g = new Graph({ name: 'wrong' })
  const hidden = g.input('hidden', 'float32', [1, 'steps', 64])
  const norm = g.input('norm', 'float32', [32])
  expect(() => graph.rmsNormalization(hidden, norm)).toThrow(
    /SimplifiedLayerNormalization .*x = hidden: float32 \[1, steps, 64\]; scale = norm: float32 \[32\], expected scale to be \[64\]/,
  )
  expect(() => graph.skipRmsNormalization(hidden, g.input('residual', 'float32', [1, 'past', 64]), norm)).toThrow(
    'skip to be [1, steps, 64]',
  )
  expect(() => graph.layerNormalization(hidden, norm)).toThrow('scale to be [64]')
})
