import { expect, test } from 'vitest'
import { blobFiles, isChosenFiles, openWeightFiles, readFileText } from '../src/index.ts'
import { entry, safetensorsFile } from './builders/safetensors-file.ts'

const file = (name: string, content: BlobPart, folder?: string) => {
  const made = new File([content], name, { lastModified: 1000 })
  return folder === undefined ? made : Object.defineProperty(made, 'webkitRelativePath', { value: `${folder}/${name}` })
}
const tensorFile = (tensor: string): BlobPart =>
  new Uint8Array(safetensorsFile({ header: { [tensor]: entry('F32', [1], 0, 4) }, data: new Uint8Array(new Float32Array([7]).buffer) }))

test('files are found by their names, and texts are read', async () => {
  const files = blobFiles([file('model.safetensors', tensorFile('a')), file('config.json', '{}')])
  expect(files).toMatchObject({ name: '2 chosen files', paths: ['config.json', 'model.safetensors'], notes: [] })
  expect(await readFileText(files, 'config.json')).toBe('{}')
  expect(await readFileText(files, 'absent.json')).toBeUndefined()
})

test('the name of a chosen folder is no part of the paths below it', () => {
  const files = blobFiles([file('config.json', '{}', 'my-model'), file('model.onnx', 'x', 'my-model/onnx')])
  expect(files.paths).toEqual(['config.json', 'onnx/model.onnx'])
})

test('weights open as they would from a folder: whole, in shards with their index, or one file by its path', async () => {
  await using whole = await openWeightFiles(blobFiles([file('model.safetensors', tensorFile('a'))]))
  expect([...whole.tensors.keys()]).toEqual(['a'])
  const index = { weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' } }
  const shards = blobFiles([
    file('model.safetensors.index.json', JSON.stringify(index)),
    file('model-00001-of-00002.safetensors', tensorFile('a')),
    file('model-00002-of-00002.safetensors', tensorFile('b')),
  ])
  await using sharded = await openWeightFiles(shards)
  expect([...sharded.tensors.keys()].sort()).toEqual(['a', 'b'])
  await using one = await openWeightFiles(shards, { path: 'model-00002-of-00002.safetensors' })
  expect([...one.tensors.keys()]).toEqual(['b'])
})

test('reading a tensor reads its bytes of the file and no others', async () => {
  const blob = new Blob([tensorFile('a')])
  const read: [number, number][] = []
  const slice = blob.slice.bind(blob)
  blob.slice = (start = 0, end = blob.size) => {
    read.push([start, end])
    return slice(start, end)
  }
  await using store = await openWeightFiles(blobFiles(new Map([['model.safetensors', blob]])))
  read.length = 0
  await store.read('a')
  expect(read).toEqual([[blob.size - 4, blob.size]])
})

test('a missing shard, a pickle and an unknown file are errors that name them', async () => {
  const index = { weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' } }
  const missing = blobFiles([
    file('model.safetensors.index.json', JSON.stringify(index)),
    file('model-00001-of-00002.safetensors', tensorFile('a')),
  ])
  await expect(openWeightFiles(missing)).rejects.toMatchObject({ code: 'file', message: /model-00002-of-00002\.safetensors/ })
  const pickle = blobFiles(file('pytorch_model.bin', 'PK'))
  await expect(openWeightFiles(pickle)).rejects.toMatchObject({ code: 'weights-format', message: /pickle.*safetensors/ })
  await expect(openWeightFiles(blobFiles(file('notes.txt', 'x')))).rejects.toMatchObject({ code: 'file', message: /without weights/ })
})

test('no file at all and two of one name are refused', () => {
  expect(() => blobFiles([])).toThrow(expect.objectContaining({ code: 'argument', message: expect.stringMatching(/no file/) }))
  expect(() => blobFiles([file('a.gguf', 'x'), file('a.gguf', 'y')])).toThrow(/a\.gguf.*two files/)
})

test('the fingerprint changes with a name, a size and a time', () => {
  const [a, b, c, d] = [
    blobFiles(file('a.gguf', 'x')),
    blobFiles(file('b.gguf', 'x')),
    blobFiles(file('a.gguf', 'xy')),
    blobFiles(new File(['x'], 'a.gguf', { lastModified: 2000 })),
  ].map(({ fingerprint }) => fingerprint)
  expect(new Set([a, b, c, d]).size).toBe(4)
  expect(blobFiles(file('a.gguf', 'z')).fingerprint).toBe(a)
})

test.each([
  ['a Blob', new Blob(['x']), true],
  ['files', [new File(['x'], 'a')], true],
  ['Blobs by path', new Map([['a', new Blob(['x'])]]), true],
  ['a path', 'a.gguf', false],
  ['a list of paths', ['a.gguf'], false],
  ['undefined', undefined, false],
])('%s: whether files were chosen is told', (_, value, is) => {
  expect(isChosenFiles(value)).toBe(is)
})
