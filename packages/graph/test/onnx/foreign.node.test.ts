import { readFileSync } from 'node:fs'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { decodeModel, readModelSummary } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { encodeMessage, joinParts } from '../../src/onnx/encode.ts'
import { ModelProtoSchema } from '../generated/onnx-ml_pb.js'

const bytes = new Uint8Array(readFileSync(new URL('../fixtures/foreign.onnx', import.meta.url)))

test('a file of another writer is read, and written again byte for byte', () => {
  const { parts, byteLength } = encodeMessage('ModelProto', decodeModel(bytes))
  expect(joinParts(parts, byteLength)).toEqual(bytes)
  expect(toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, bytes))).toEqual(bytes)
})

test('branches, functions, sparse and typed data of another writer are all there', () => {
  const model = decodeModel(bytes)
  const branches = model.graph?.node[1]?.attribute.map(({ name, g }) => [name, g?.node[0]?.opType])
  expect(branches).toEqual(
    expect.arrayContaining([
      ['then_branch', 'Add'],
      ['else_branch', 'Neg'],
    ]),
  )
  expect(model.functions[0]).toMatchObject({ name: 'Twice', domain: 'custom', input: ['a'], output: ['b'], attribute: ['unused'] })
  expect(model.graph?.sparseInitializer[0]).toMatchObject({ dims: [6], values: { floatData: [1.5, -2.5] }, indices: { int64Data: [1, 4] } })
  const tensors = new Map(model.graph?.initializer.map((tensor) => [tensor.name, tensor]))
  expect(tensors.get('ends')?.int64Data).toEqual([2n ** 63n - 1n])
  expect(tensors.get('big')?.uint64Data).toEqual([2n ** 64n - 1n])
  expect(tensors.get('small')?.int32Data).toEqual([-1, 2, -3])
  expect(tensors.get('wide')?.doubleData).toEqual([1e-300, 2])
  expect(tensors.get('starts')?.rawData).toEqual(new Uint8Array(8))
})

test('the summary of a file of another writer', () => {
  const summary = readModelSummary(bytes)
  expect(summary).toMatchObject({ irVersion: 10, producer: 'onnx 1.23.2' })
  expect(summary.inputs).toEqual([
    { name: 'x', type: 'float32', dims: ['n', 6] },
    { name: 'flag', type: 'bool', dims: [] },
  ])
  expect(summary.outputs.map(({ name, dims }) => [name, dims])).toEqual([
    ['w', ['n', 6]],
    ['s', undefined],
  ])
  expect([...summary.opsets]).toEqual([
    ['', 21],
    ['custom', 1],
  ])
  expect([...summary.nodes]).toEqual([
    ['Slice', 1],
    ['If', 1],
    ['Neg', 1],
    ['Add', 2],
    ['custom::Twice', 1],
    ['Constant', 2],
  ])
  expect([...summary.metadata]).toEqual([['purpose', 'reading what others wrote']])
})
