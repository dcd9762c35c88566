import { add, Graph, matMul, multiply, reshape } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { runGraph } from './run-graph.ts'

test('a graph with a symbolic dimension runs and gives the dimensions that were derived', async () => {
  const graph = new Graph({ name: 'two-by-three' })
  const x = graph.input('x', 'float32', ['rows', 2])
  const w = graph.initializer('w', 'float32', [2, 3], new Float32Array([1, 2, 3, 4, 5, 6]))
  const y = graph.scope('layer', () => multiply(add(matMul(x, w), 1), 2))
  graph.output('y', reshape(y, [3, 'rows']))
  expect(graph.nodes.map((node) => node.name)).toEqual(['layer.MatMul', 'layer.Add', 'layer.Mul', 'Reshape'])
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
