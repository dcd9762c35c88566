// readme:start
import { encodeModel, Graph, matMul, relu, reshape } from '@foretoken/graph'

const graph = new Graph({ name: 'one-layer' })
const x = graph.input('x', 'float32', ['steps', 4])
const weight = graph.initializer('weight', 'float32', [4, 6], new Float32Array(24).fill(0.5))
const hidden = graph.scope('layer.0', () => relu(matMul(x, weight)))
graph.output('y', reshape(hidden, ['steps', 2, 3]))

const model = encodeModel(graph)
const file = model.bytes()

// readme:end
import { readModelSummary } from '@foretoken/graph'
import { expect, test } from 'vitest'

test('the snippet of the README writes a model', () => {
  const summary = readModelSummary(file)
  expect(summary.inputs).toEqual([{ name: 'x', type: 'float32', dims: ['steps', 4] }])
  expect(summary.outputs).toEqual([{ name: 'y', type: 'float32', dims: ['steps', 2, 3] }])
})

test('the mistake that the README shows is refused in these words', () => {
  const wrong = graph.input('wrong', 'float32', [5, 6])
  expect(() => graph.scope('layer.0', () => matMul(x, wrong))).toThrow('expected the inner dimensions to be equal, but 4 meets 5')
})
