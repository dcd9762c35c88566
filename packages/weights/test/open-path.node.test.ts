import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeToFloat32, fileSource, openWeights, type TensorToWrite, writeGguf, writeSafetensors } from '@foretoken/weights'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sharedFixtures } from './builders/fixture-files.ts'
import { joined } from './builders/little-endian.ts'
import { refusalOf } from './builders/refusal.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'foretoken-weights-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** A fresh folder with these files. */
async function folderWith(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const folder = await mkdtemp(join(root, 'case-'))
  for (const [name, contents] of Object.entries(files)) await writeFile(join(folder, name), contents)
  return folder
}

function tensor(name: string, value: number): TensorToWrite {
  return { name, encoding: 'I8', shape: [1], bytes: new Uint8Array([value]) }
}

const one = joined(...writeSafetensors([tensor('a', 1)]))
const two = joined(...writeSafetensors([tensor('b', 2)]))
const gguf = joined(...writeGguf([tensor('g', 3)]))

function part(no: number): Uint8Array {
  const number = (value: number) => ({ type: 'uint16', value }) as const
  return joined(
    ...writeGguf(
      [tensor(`t${no}`, no)],
      new Map([
        ['split.no', number(no)],
        ['split.count', number(2)],
        ['split.tensors.count', number(2)],
      ]),
    ),
  )
}

describe('a path', () => {
  test('of a folder with model.safetensors opens it, whatever else is there', async () => {
    const folder = await folderWith({ 'model.safetensors': one, 'pytorch_model.bin': '', 'other.gguf': gguf })
    await using store = await openWeights(folder)
    expect([...store.tensors.keys()]).toEqual(['a'])
  })

  test('of a folder with an index opens all shards; so does the path of the index', async () => {
    const index = JSON.stringify({
      metadata: {},
      weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
    })
    const folder = await folderWith({
      'model.safetensors.index.json': index,
      'model-00001-of-00002.safetensors': one,
      'model-00002-of-00002.safetensors': two,
    })
    for (const path of [folder, join(folder, 'model.safetensors.index.json')]) {
      await using store = await openWeights(path)
      expect([...decodeToFloat32(await store.read('b'))]).toEqual([2])
    }
  })

  test('of a folder whose index names a file that is missing is refused', async () => {
    const folder = await folderWith({ 'model.safetensors.index.json': JSON.stringify({ weight_map: { a: 'gone.safetensors' } }) })
    expect(await refusalOf(openWeights(folder))).toMatchObject({ code: 'file', where: { file: join(folder, 'gone.safetensors') } })
  })

  test('of one .gguf, or of a folder with one, opens it', async () => {
    const folder = await folderWith({ 'model-q8.gguf': gguf })
    for (const path of [folder, join(folder, 'model-q8.gguf')]) {
      await using store = await openWeights(path)
      expect(store.format).toBe('gguf')
    }
  })

  test('of any part of a split GGUF, or of a folder with it, opens all parts', async () => {
    const folder = await folderWith({ 'm-00001-of-00002.gguf': part(0), 'm-00002-of-00002.gguf': part(1) })
    for (const path of [folder, join(folder, 'm-00001-of-00002.gguf'), join(folder, 'm-00002-of-00002.gguf')]) {
      await using store = await openWeights(path)
      expect([...store.tensors.keys()]).toEqual(['t0', 't1'])
    }
    await rm(join(folder, 'm-00002-of-00002.gguf'))
    expect((await refusalOf(openWeights(folder))).where.file).toContain('m-00002-of-00002.gguf')
  })

  test('of a folder with several models asks for one of them', async () => {
    expect((await refusalOf(openWeights(await folderWith({ 'a.gguf': gguf, 'b.gguf': gguf })))).found).toBe(
      'several models: a.gguf, b.gguf',
    )
  })

  test('of a pickle is refused with a sentence that names safetensors', async () => {
    for (const name of ['pytorch_model.bin', 'model.pt', 'model.pth', 'weights.pkl', 'model.ckpt']) {
      const folder = await folderWith({ [name]: one })
      for (const path of [folder, join(folder, name)]) {
        const error = await refusalOf(openWeights(path))
        expect(error.code).toBe('weights-format')
        expect(error.message).toMatch(/pickle.*safetensors/)
      }
    }
  })

  test('of nothing, of an empty folder, or of another file is refused', async () => {
    expect((await refusalOf(openWeights(join(root, 'nothing')))).code).toBe('file')
    expect((await refusalOf(openWeights(await folderWith({})))).found).toBe('a folder without weights')
    expect((await refusalOf(openWeights(join(await folderWith({ 'a.txt': '' }), 'a.txt')))).code).toBe('weights-format')
  })

  test.skipIf(sharedFixtures === undefined)('of a sharded checkpoint opens it (needs FORETOKEN_FIXTURES)', async () => {
    await using store = await openWeights(`${sharedFixtures}/checkpoints/llama-sharded`)
    expect(new Set([...store.tensors.values()].map(({ file }) => file)).size).toBe(2)
  })
})

describe('a file on disk', () => {
  test('is read in the middle, and is closed once', async () => {
    const source = await fileSource(join(await folderWith({ 'a.bin': new Uint8Array([0, 1, 2, 3]) }), 'a.bin'))
    expect(source).toMatchObject({ name: 'a.bin', byteLength: 4 })
    expect([...(await source.read(1, 2))]).toEqual([1, 2])
    expect((await refusalOf(source.read(3, 2))).code).toBe('argument')
    await expect(source.read(0, 1, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    await source[Symbol.asyncDispose]()
    await source[Symbol.asyncDispose]()
    expect((await refusalOf(source.read(0, 1))).code).toBe('disposed')
  })

  test('that becomes shorter while it is open is noticed', async () => {
    const path = join(await folderWith({ 'a.bin': new Uint8Array(100) }), 'a.bin')
    await using source = await fileSource(path)
    await truncate(path, 10)
    expect(await refusalOf(source.read(0, 100))).toMatchObject({ code: 'file', where: { offset: 10 } })
  })

  test('that is missing or is a folder is refused', async () => {
    expect((await refusalOf(fileSource(join(root, 'nothing')))).code).toBe('file')
    expect((await refusalOf(fileSource(root))).code).toBe('file')
  })
})
