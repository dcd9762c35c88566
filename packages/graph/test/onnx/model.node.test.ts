import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  add,
  type DataGroup,
  decodeModel,
  encodeModel,
  encodeModelInline,
  externalChunks,
  Graph,
  GraphDataError,
  GraphSizeError,
  matMul,
  readModelSummary,
} from '@foretoken/graph'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'

/** y = x @ a + b @ c where a is in memory, and b and c are parts of groups that load when asked. */
function createGraph(log: string[], wrongLength = false): Graph {
  const group = (name: string, factor: number): DataGroup => ({
    load: async () => {
      log.push(name)
      return { matrix: Float32Array.of(factor, 0, 0, factor), row: new Float32Array(wrongLength ? 3 : 2).fill(factor) }
    },
  })
  const graph = new Graph({ name: 'outside' })
  const x = graph.input('x', 'float32', ['rows', 2])
  const [first, second] = [group('first', 2), group('second', 3)]
  const a = graph.initializer('a', 'float32', [2, 2], Float32Array.of(1, 1, 0, 1))
  const b = graph.initializer('b', 'float32', [2, 2], { group: first, part: 'matrix' })
  const c = graph.initializer('c', 'float32', [2, 2], { group: second, part: 'matrix' })
  const d = graph.initializer('d', 'float32', [2], { group: first, part: 'row' })
  const e = graph.initializer('e', 'float32', [2], { group: second, part: 'row' })
  graph.output('y', add(add(matMul(matMul(matMul(x, a), b), c), d), e))
  return graph
}

/** x = [1, 1]: [1, 2] after a, [2, 4] after b, [6, 12] after c, plus 2 and 3. */
const EXPECTED = [11, 17]

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks);
}

async function run(session: ort.InferenceSession): Promise<number[]> {
  try {
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 1), [1, 2]) })
    return Array.from(y?.data as Float32Array)
  } finally {
    await session.release()
  }
}

test('building and writing with external data load nothing', () => {
  const log: string[] = []
  const { external, byteLength } = encodeModel(createGraph(log), { external: { location: 'weights.bin' } })
  expect(log).toEqual([])
  expect(byteLength).toBeLessThan(2000)
  expect(external.map(({ name, offset, length }) => ({ name, offset, length }))).toEqual([
    { name: 'b', offset: 0, length: 16 },
    { name: 'd', offset: 4096, length: 8 },
    { name: 'c', offset: 8192, length: 16 },
    { name: 'e', offset: 12288, length: 8 },
  ])
})

test('each group is loaded once, when its first tensor is due', async () => {
  const log: string[] = []
  const { external } = encodeModel(createGraph(log), { external: { location: 'weights.bin', minimumBytes: 0 } })
  const seen: string[] = []
  for await (const { name } of externalChunks(external)) seen.push(`${name} after ${log.join(' and ') || 'nothing'}`)
  expect(seen).toEqual(['a after nothing', 'b after first', 'd after first', 'c after first and second', 'e after first and second'])
})

test('two tensors that are the same part of a group lie in the same place, which is written once', async () => {
  const graph = createGraph([])
  const group: DataGroup = { load: async () => ({ row: Float32Array.of(7, 8) }) }
  const [f, g] = ['f', 'g'].map((name) => graph.initializer(name, 'float32', [2], { group, part: 'row' }))
  const x = graph.inputs[0]
  if (f === undefined || g === undefined || x === undefined) throw new TypeError('no tensors')
  graph.output('z', add(add(x, f), g))
  const model = encodeModel(graph, { external: { location: 'weights.bin', minimumBytes: 1 } })
  const offsets = new Map(model.external.map(({ name, offset }) => [name, offset]))
  expect(offsets.get('g')).toBe(offsets.get('f'))
  const written: string[] = []
  const weights = new Uint8Array(Math.max(...model.external.map(({ offset, length }) => offset + length)))
  for await (const { name, offset, bytes } of externalChunks(model.external)) {
    written.push(name)
    weights.set(bytes, offset)
  }
  expect(written.filter((name) => name === 'f' || name === 'g')).toEqual(['f'])
  const session = await ort.InferenceSession.create(model.bytes(), { externalData: [{ path: 'weights.bin', data: weights }] })
  const { z } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 1), [1, 2]) })
  await session.release()
  // 1 + 7 + 7 and 1 + 8 + 8
  expect(Array.from(z?.data as Float32Array)).toEqual([15, 17])
})

test('onnxruntime finds external data in memory', async () => {
  const model = encodeModel(createGraph([]), { external: { location: 'weights.bin', minimumBytes: 1 } })
  const weights = new Uint8Array(5 * 4096)
  for await (const { offset, bytes } of externalChunks(model.external)) weights.set(bytes, offset)
  expect(await run(await ort.InferenceSession.create(model.bytes(), { externalData: [{ path: 'weights.bin', data: weights }] }))).toEqual(
    EXPECTED,
  )
})

test('onnxruntime finds external data in a file beside the model', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'foretoken-graph-'))
  try {
    const model = encodeModel(createGraph([]), { external: { location: 'weights.bin' } })
    await writeFile(join(folder, 'model.onnx'), model.parts)
    const file = await open(join(folder, 'weights.bin'), 'w')
    for await (const { offset, bytes } of externalChunks(model.external)) await file.write(bytes, 0, bytes.length, offset)
    await file.close()
    expect(await run(await ort.InferenceSession.create(join(folder, 'model.onnx')))).toEqual(EXPECTED)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a model with everything inside loads each group once', async () => {
  const log: string[] = []
  const model = await encodeModelInline(createGraph(log), { metadata: { purpose: 'test' } })
  expect(log).toEqual(['first', 'second'])
  expect(await run(await ort.InferenceSession.create(model.bytes()))).toEqual(EXPECTED)
  expect([...readModelSummary(model.bytes()).metadata]).toEqual([['purpose', 'test']])
})

test('deferred data without a place outside are refused, and so are loaded parts of another length', async () => {
  expect(() => encodeModel(createGraph([]))).toThrow(GraphDataError)
  expect(() => encodeModel(createGraph([]))).toThrow('b: found data that are loaded later')
  await expect(encodeModelInline(createGraph([], true))).rejects.toThrow('d: found 12 bytes, expected 8 bytes')
  const { external } = encodeModel(createGraph([], true), { external: { location: 'weights.bin' } })
  await expect(drain(externalChunks(external))).rejects.toThrow('d: found 12 bytes, expected 8 bytes')
})

test('an abort ends the writing before the next tensor', async () => {
  const log: string[] = []
  const { external } = encodeModel(createGraph(log), { external: { location: 'weights.bin' } })
  const controller = new AbortController()
  const chunks = externalChunks(external, { signal: controller.signal })
  await chunks.next()
  controller.abort(new Error('enough'))
  await expect(chunks.next()).rejects.toThrow('enough')
  expect(log).toEqual(['first'])
})

test('more than 2 GB inside of one file are refused before anything is copied, and fit outside', async () => {
  const graph = new Graph({ name: 'large' })
  const group: DataGroup = { load: async () => ({}) }
  const x = graph.input('x', 'float32', [1, 32768])
  let y = x
  for (let layer = 0; layer < 2; layer++)
    y = matMul(y, graph.initializer(`w${layer}`, 'float32', [32768, 32768], { group, part: `${layer}` }))
  graph.output('y', y)
  expect(() => encodeModel(graph)).toThrow(GraphSizeError)
  await expect(encodeModelInline(graph)).rejects.toThrow(GraphSizeError)
  expect(() => encodeModel(graph)).toThrow('found 8589934592 bytes, expected at most 2147483647 in one file')
  const { external } = encodeModel(graph, { external: { location: 'weights.bin' } })
  expect(external.map(({ offset, length }) => [offset, length])).toEqual([
    [0, 2 ** 32],
    [2 ** 32, 2 ** 32],
  ])
})

test.each(['/weights.bin', '../weights.bin', 'C:\\weights.bin', ''])('external data at %j are not written either', (location) => {
  expect(() => encodeModel(createGraph([]), { external: { location } })).toThrow('a relative path inside of the folder of the model')
})

test('a graph without an output is refused', () => {
  expect(() => encodeModel(new Graph({ name: 'empty' }))).toThrow('empty: found no output')
})

test('a model that is read back has the inputs, outputs and opsets that were built', () => {
  const bytes = encodeModel(createGraph([]), { external: { location: 'weights.bin' } }).bytes()
  const summary = readModelSummary(bytes)
  expect(summary).toMatchObject({
    irVersion: 10,
    producer: 'foretoken',
    inputs: [{ name: 'x', type: 'float32', dims: ['rows', 2] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['rows', 2] }],
  })
  expect([...summary.opsets]).toEqual([['', 21]])
  expect(summary.initializers.map(({ name, externalLocation }) => [name, externalLocation])).toEqual([
    ['a', undefined],
    ['b', 'weights.bin'],
    ['c', 'weights.bin'],
    ['d', 'weights.bin'],
    ['e', 'weights.bin'],
  ])
  expect(decodeModel(bytes).graph?.node.map(({ opType }) => opType)).toEqual(['MatMul', 'MatMul', 'MatMul', 'Add', 'Add'])
})

test('what nodes hand to each other has its shape in the file, for the runtime to plan its buffers with', () => {
  const { graph } = decodeModel(encodeModel(createGraph([]), { external: { location: 'weights.bin' } }).bytes())
  const shapes = graph?.valueInfo.map(({ type }) => type?.tensorType?.shape?.dim.map(({ dimValue, dimParam }) => dimValue ?? dimParam))
  // three products and the first sum; the second sum is the output
  expect(shapes).toEqual(Array.from({ length: 4 }, () => ['rows', 2]))
  expect(graph?.valueInfo.map(({ name }) => name)).not.toContain('y')
})
