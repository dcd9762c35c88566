// readme:start
import { readFile } from 'node:fs/promises'
import { loadRuntime } from '@foretoken/runtime'
import { tensor } from '@foretoken/tensor'

const runtime = await loadRuntime() // onnxruntime-node in Node, onnxruntime-web in a page
const bytes = await readFile(new URL('./fixtures/external.onnx', import.meta.url)) // a graph: y = x w
const weights = await readFile(new URL('./fixtures/external.bin', import.meta.url)) // w [16, 2], outside of the graph
const session = await runtime.open({ kind: 'bytes', bytes, externalData: [{ path: 'external.bin', data: weights }] })

session.inputs // [{ name: 'x', type: 'float32', dims: ['rows', 16] }]
const x = tensor('float32', [1, 16], new Float32Array(16).fill(1))
const results = await session.run(new Map([['x', x]]), ['y']) // read in place; only y comes back
const y = results.get('y') // { type: 'float32', dims: [1, 2], data: [240, 256], … }
await session[Symbol.asyncDispose]() // or `await using session = …`

// readme:end
import { expect, test } from 'vitest'

test('the snippet of the README opens a graph and runs it', () => {
  expect(session.inputs).toEqual([{ name: 'x', type: 'float32', dims: ['rows', 16] }])
  expect(y).toEqual(tensor('float32', [1, 2], Float32Array.of(240, 256)))
})
