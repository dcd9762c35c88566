import * as graph from '@foretoken/graph'
import { Graph } from '@foretoken/graph'
import { describe, expect, test } from 'vitest'
import { at, checkOperator, floats, type Plain, plain, toPlain } from './check-operator.ts'

interface Windows {
  readonly strides: readonly [number, number]
  readonly pads: readonly [number, number, number, number]
  readonly dilations: readonly [number, number]
}

/** An element, or 0 outside. */
function inside(x: Plain, index: readonly number[]): number {
  return index.some((place, axis) => place < 0 || place >= (x.dims[axis] ?? 0)) ? 0 : at(x, index)
}

function convolved(x: Plain, kernel: Plain, bias: Plain, groups: number, { strides, pads, dilations }: Windows): Plain {
  const [batch = 0, , height = 0, width = 0] = x.dims
  const [outputs = 0, channels = 0, rows = 0, columns = 0] = kernel.dims
  const size = (length: number, window: number, axis: 0 | 1) =>
    Math.floor((length + pads[axis] + pads[axis === 0 ? 2 : 3] - dilations[axis] * (window - 1) - 1) / strides[axis]) + 1
  return plain([batch, outputs, size(height, rows, 0), size(width, columns, 1)], ([n = 0, o = 0, i = 0, j = 0]) => {
    const group = Math.floor(o / (outputs / groups))
    let sum = at(bias, [o])
    for (let c = 0; c < channels; c++)
      for (let a = 0; a < rows; a++)
        for (let b = 0; b < columns; b++)
          sum +=
            at(kernel, [o, c, a, b]) *
            inside(x, [n, group * channels + c, i * strides[0] + a * dilations[0] - pads[0], j * strides[1] + b * dilations[1] - pads[1]])
    return sum
  })
}

describe('convolution', () => {
  test.each([
    { groups: 1, strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] },
    { groups: 2, strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] },
  ] as const)('in two axes %o', async ({ groups, ...windows }) => {
    const x = floats([2, 4, 6, 7])
    const kernel = floats([6, 4 / groups, 3, 2], 4)
    const bias = floats([6], 5)
    await checkOperator({
      inputs: { x, kernel, bias },
      constants: ['kernel', 'bias'],
      build: (value) =>
        graph.convolution(graph.assumeDims(value('x'), [value('x').dims[0] ?? 2, 4, ...value('x').dims.slice(2)]), value('kernel'), {
          groups,
          bias: value('bias'),
          ...windows,
        }),
      expected: [convolved(toPlain(x), toPlain(kernel), toPlain(bias), groups, windows)],
    })
  })

  test('in one axis, causal by padding before', async () => {
    const x = floats([1, 3, 5])
    const kernel = floats([3, 1, 4], 4)
    const expected = plain([1, 3, 5], ([n = 0, c = 0, t = 0]) =>
      [0, 1, 2, 3].reduce((sum, k) => sum + at(toPlain(kernel), [c, 0, k]) * inside(toPlain(x), [n, c, t + k - 3]), 0),
    )
    await checkOperator({
      inputs: { x, kernel },
      constants: ['kernel'],
      build: (value) =>
        graph.convolution(graph.assumeDims(value('x'), [1, 3, value('x').dims[2] ?? 5]), value('kernel'), { groups: 3, pads: [3, 0] }),
      expected: [expected],
    })
  })

  test('channels that do not fit the kernel are refused by name', () => {
    const g = new Graph({ name: 'wrong' })
    const image = g.input('image', 'float32', [1, 3, 'height', 'width'])
    const kernel = g.input('kernel', 'float32', [8, 4, 3, 3])
    expect(() => graph.convolution(image, kernel)).toThrow(
      /Conv .*x = image: float32 \[1, 3, height, width\]; kernel = kernel: float32 \[8, 4, 3, 3\], expected x to be \[\?, 4, \?, \?\]/,
    )
  })
})

test('convolutionTranspose spreads each element by the kernel', async () => {
  const x = floats([1, 2, 4])
  const kernel = floats([2, 3, 3], 4)
  const strides = 2
  const expected = plain([1, 3, 8], ([n = 0, o = 0, t = 0]) => {
    let sum = 0
    for (let c = 0; c < 2; c++)
      for (let i = 0; i < 4; i++)
        for (let k = 0; k < 3; k++) if (i * strides + k - 1 === t) sum += at(toPlain(x), [n, c, i]) * at(toPlain(kernel), [c, o, k])
    return sum
  })
  await checkOperator({
    inputs: { x, kernel },
    constants: ['kernel'],
    build: (value) =>
      graph.convolutionTranspose(graph.assumeDims(value('x'), [1, 2, value('x').dims[2] ?? 4]), value('kernel'), {
        strides: [2],
        pads: [1, 0],
      }),
    expected: [expected],
  })
})

test('averagePool and globalAveragePool', async () => {
  const x = floats([2, 3, 4, 6])
  const pooled = plain(
    [2, 3, 2, 3],
    ([n = 0, c = 0, i = 0, j = 0]) =>
      plain([2, 2], ([a = 0, b = 0]) => at(toPlain(x), [n, c, 2 * i + a, 2 * j + b])).values.reduce((sum, one) => sum + one, 0) / 4,
  )
  const all = plain(
    [2, 3, 1, 1],
    ([n = 0, c = 0]) => plain([4, 6], ([i = 0, j = 0]) => at(toPlain(x), [n, c, i, j])).values.reduce((sum, one) => sum + one, 0) / 24,
  )
  await checkOperator({
    inputs: { x },
    build: (value) => [graph.averagePool(value('x'), [2, 2], { strides: [2, 2] }), graph.globalAveragePool(value('x'))],
    expected: [pooled, all],
  })
})
