import {
  add,
  encodeModel,
  Graph,
  GraphDataError,
  GraphError,
  gather,
  matMul,
  multiply,
  readModelSummary,
  reshape,
  scalar,
} from '@foretoken/graph'
import { describe, expect, test } from 'vitest'
import { runGraph } from './run-graph.ts'

test('a graph with a symbolic dimension runs and gives the dimensions that were derived', async () => {
  const graph = new Graph({ name: 'two-by-three' })
  const x = graph.input('x', 'float32', ['rows', 2])
  const w = graph.initializer('w', 'float32', [2, 3], new Float32Array([1, 2, 3, 4, 5, 6]))
  const y = graph.scope('layer', () => multiply(add(matMul(x, w), 1), 2))
  graph.output('y', reshape(y, [3, 'rows']))
  const { y: result } = await runGraph(graph, { x: { type: 'float32', dims: [1, 2], values: [1, 1] } })
  expect(result).toEqual({ type: 'float32', dims: [3, 1], values: [12, 16, 20] })
})

test('a product whose inner dimensions differ names the operator, the node and the inputs with their dimensions', () => {
  const graph = new Graph({ name: 'wrong' })
  const x = graph.input('hidden', 'float32', ['steps', 64])
  const w = graph.input('weight', 'float32', [32, 64])
  expect(() => graph.scope('layer.0', () => matMul(x, w, { name: 'q' }))).toThrow(
    'MatMul (node layer.0.q): found a = hidden: float32 [steps, 64]; b = weight: float32 [32, 64], expected the inner dimensions to be equal, but 64 meets 32',
  )
})

describe('names', () => {
  test('scopes nest and prefix nodes and their values; a name that is taken gets a number', () => {
    const graph = new Graph({ name: 'names' })
    const x = graph.input('x', 'float32', [2])
    const values = graph.scope('layer.3', () => [add(x, x), add(x, x), graph.scope('inner', () => add(x, x, { name: 'sum' }))])
    expect(graph.nodes.map((node) => node.name)).toEqual(['layer.3.Add', 'layer.3.Add_1', 'layer.3.inner.sum'])
    expect(values.map((value) => value.name)).toEqual(['layer.3.Add', 'layer.3.Add_1', 'layer.3.inner.sum'])
  })

  test('a scope ends with its callback, also when that fails', () => {
    const graph = new Graph({ name: 'names' })
    const x = graph.input('x', 'float32', [2])
    expect(() =>
      graph.scope('broken', () => {
        throw new Error('on the way')
      }),
    ).toThrow('on the way')
    expect(add(x, x).name).toBe('Add')
  })

  test('inputs, initialisers and outputs cannot share a name', () => {
    const graph = new Graph({ name: 'names' })
    const x = graph.input('x', 'float32', [2])
    expect(() => graph.input('x', 'float32', [2])).toThrow(GraphError)
    expect(() => graph.initializer('x', 'float32', [1], new Float32Array(1))).toThrow("value 'x': found a name that is taken")
    expect(() => graph.output('x', add(x, x))).toThrow("output 'x'")
    expect(() => graph.input('', 'float32', [])).toThrow('an empty name')
    const y = add(x, x, { name: 'y' })
    graph.output('y', y)
    expect(() => graph.output('y', y)).toThrow("output 'y': found a name that is taken")
    graph.output('z', y)
    expect(() => graph.output('z', x)).toThrow("output 'z'")
  })
})

describe('outputs', () => {
  test('a computed value takes the name of its output; inputs and second names pass through an Identity', async () => {
    const graph = new Graph({ name: 'outputs' })
    const x = graph.input('x', 'float32', [2])
    const y = add(x, 1)
    const z = multiply(y, 2)
    graph.output('sum', y)
    graph.output('again', y)
    graph.output('same', x)
    graph.output('product', z)
    expect([...readModelSummary(encodeModel(graph).bytes()).nodes]).toEqual([
      ['Add', 1],
      ['Mul', 1],
      ['Identity', 2],
    ])
    const results = await runGraph(graph, { x: { type: 'float32', dims: [2], values: [1, 2] } })
    expect(results).toMatchObject({
      sum: { values: [2, 3] },
      again: { values: [2, 3] },
      same: { values: [1, 2] },
      product: { values: [4, 6] },
    })
  })

  test('a value of another graph is refused', () => {
    const one = new Graph({ name: 'one' })
    const other = new Graph({ name: 'other' })
    const x = one.input('x', 'float32', [2])
    const y = other.input('y', 'float32', [2])
    expect(() => add(x, y)).toThrow('one: found y, a value of graph other, expected values of this graph')
    expect(() => one.output('y', y)).toThrow(GraphError)
  })
})

describe('constants and initialisers', () => {
  test('equal constants are one initialiser, unequal ones are not', () => {
    const graph = new Graph({ name: 'constants' })
    expect(scalar(graph, 1.5).name).toBe(scalar(graph, 1.5).name)
    expect(graph.constant('int64', [2], [1, 2]).name).toBe(graph.constant('int64', [2], [1n, 2n]).name)
    const different = [
      scalar(graph, 0),
      scalar(graph, -0),
      graph.constant('float32', [1], [0]),
      graph.constant('int32', [], [0]),
      graph.constant('float64', [], [0]),
    ]
    expect(new Set(different.map((value) => value.name)).size).toBe(5)
  })

  test('constants of every element type have the bytes of that type', () => {
    const graph = new Graph({ name: 'constants' })
    const bytes = (type: Parameters<Graph['constant']>[0], values: readonly number[]) => {
      const data = graph.constantData(graph.constant(type, [values.length], values))
      return data === undefined ? [] : [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]
    }
    expect(bytes('float16', [1, -2, 65504])).toEqual([0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b])
    expect(bytes('bfloat16', [1, -2])).toEqual([0x80, 0x3f, 0x00, 0xc0])
    expect(bytes('int64', [-1])).toEqual(new Array(8).fill(255))
    expect(bytes('uint32', [2 ** 32 - 1])).toEqual([255, 255, 255, 255])
    expect(bytes('int16', [-2])).toEqual([254, 255])
    expect(bytes('bool', [1, 0])).toEqual([1, 0])
    expect(bytes('int4', [-1, 7, -8])).toEqual([0x7f, 0x08])
    expect(bytes('uint4', [15, 1])).toEqual([0x1f])
  })

  test('values that do not fit their type are refused', () => {
    const graph = new Graph({ name: 'constants' })
    expect(() => graph.constant('uint8', [1], [256])).toThrow('constant of uint8: found 256, expected whole numbers from 0 to 255')
    expect(() => graph.constant('int64', [1], [1.5])).toThrow('found 1.5')
    expect(() => graph.constant('int64', [3], [1])).toThrow('1 values for dimensions [3], expected 3 values')
  })

  test('data of another length than the dimensions say are refused with the name', () => {
    const graph = new Graph({ name: 'data' })
    expect(() => graph.initializer('w', 'float32', [2, 3], new Float32Array(5))).toThrow(GraphDataError)
    expect(() => graph.initializer('w', 'float32', [2, 3], new Float32Array(5))).toThrow(
      'w: found 20 bytes, expected 24 bytes for float32 [2, 3]',
    )
    expect(() => graph.initializer('v', 'float32', [-2, -3], new Float32Array(6))).toThrow("dimension '-2'")
    expect(graph.initializer('odd', 'uint4', [3], new Uint8Array(2)).dims).toEqual([3])
  })

  test('data are referenced, never copied', () => {
    const graph = new Graph({ name: 'views' })
    const data = new Float32Array(1024)
    const w = graph.initializer('w', 'float32', [32, 32], data)
    graph.output('y', matMul(graph.input('x', 'float32', [1, 32]), w))
    expect(encodeModel(graph).parts.some((part) => part.buffer === data.buffer && part.byteLength === 4096)).toBe(true)
  })
})

test('nodes are plain data that name what they read and give', () => {
  const graph = new Graph({ name: 'plain' })
  const table = graph.input('table', 'float32', [9, 4])
  const ids = graph.input('ids', 'int64', ['steps'])
  const rows = gather(table, ids, { axis: 0, name: 'rows' })
  expect(graph.producerOf(rows)).toBe(graph.nodes[0])
  expect(graph.producerOf(table)).toBeUndefined()
  const [node] = graph.nodes
  expect({ ...node, inputs: node?.inputs.map((value) => value?.name), outputs: node?.outputs.map((value) => value?.dims) }).toEqual({
    operator: 'Gather',
    domain: '',
    name: 'rows',
    inputs: ['table', 'ids'],
    outputs: [['steps', 4]],
    attributes: { axis: { kind: 'int', value: 0 } },
  })
})

test('an opset whose operators have other signatures is refused', () => {
  expect(() => new Graph({ name: 'old', opset: 17 })).toThrow('opset: found 17, expected 21 or later')
})
