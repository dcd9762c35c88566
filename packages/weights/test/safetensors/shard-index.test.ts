import { bytesSource, openSafetensors, readShardIndex } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { text } from '../builders/little-endian.ts'
import { refusalOf } from '../builders/refusal.ts'
import { entry, safetensorsFile } from '../builders/safetensors-file.ts'
import { watchedSource } from '../builders/watched-source.ts'

function index(contents: unknown) {
  return readShardIndex(bytesSource(text(typeof contents === 'string' ? contents : JSON.stringify(contents)), 'index.json'))
}

function shard(name: string, tensors: Readonly<Record<string, string>>) {
  let offset = 0
  const header = Object.fromEntries(
    Object.entries(tensors).map(([tensor, dtype]) => {
      const bytes = dtype === 'F32' ? 4 : 2
      offset += bytes
      return [tensor, entry(dtype, [1], offset - bytes, offset)]
    }),
  )
  return watchedSource(safetensorsFile({ header, data: new Uint8Array(offset) }), name)
}

describe('an index', () => {
  test('lists its files once and knows the file of each tensor', async () => {
    const { files, fileOf } = await index({
      metadata: { total_size: 8 },
      weight_map: { b: '2.safetensors', a: '1.safetensors', c: '2.safetensors' },
    })
    expect(files).toEqual(['1.safetensors', '2.safetensors'])
    expect(fileOf.get('c')).toBe('2.safetensors')
  })

  test('that names a path instead of a plain file is refused', async () => {
    for (const name of [
      '../a.safetensors',
      '/etc/a.safetensors',
      'a/b.safetensors',
      'a\\b.safetensors',
      'C:a.safetensors',
      '.safetensors',
      '..safetensors',
      'a.bin',
      'a.safetensors\0',
      '',
      5,
      null,
    ]) {
      const error = await refusalOf(index({ weight_map: { a: name } }))
      expect(error.where).toEqual({ file: 'index.json', tensor: 'a' })
    }
  })

  test('that is broken is refused', async () => {
    expect((await refusalOf(index('{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}'))).where.tensor).toBe('a')
    expect((await refusalOf(index('{'))).code).toBe('weights-format')
    expect((await refusalOf(index('[]'))).where.field).toBe('weight_map')
    expect((await refusalOf(index({ weight_map: {} }))).found).toBe('no tensors')
    const notUtf8 = readShardIndex(bytesSource(new Uint8Array([0x7b, 0xff]), 'index.json'))
    expect((await refusalOf(notUtf8)).where.offset).toBe(1)
  })
})

describe('shards', () => {
  test('are one store, in any order', async () => {
    const sources = [shard('2.safetensors', { b: 'F32' }), shard('1.safetensors', { a: 'F16' })]
    const store = await openSafetensors(sources, { index: await index({ weight_map: { a: '1.safetensors', b: '2.safetensors' } }) })
    expect(store.tensors.get('b')?.file).toBe('2.safetensors')
    expect((await store.read('a')).bytes.byteLength).toBe(2)
    await store[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    expect(sources.map((source) => source.disposals())).toEqual([1, 1])
  })

  test('of which one is missing are refused, and the rest is closed', async () => {
    const sources = [shard('1.safetensors', { a: 'F16' })]
    const error = await refusalOf(
      openSafetensors(sources, { index: await index({ weight_map: { a: '1.safetensors', b: '2.safetensors' } }) }),
    )
    expect(error.found).toContain('2.safetensors')
    expect(sources[0]?.disposals()).toBe(1)
  })

  test('of which one is not in the index are refused', async () => {
    const sources = [shard('1.safetensors', { a: 'F16' }), shard('3.safetensors', { c: 'F16' })]
    const error = await refusalOf(openSafetensors(sources, { index: await index({ weight_map: { a: '1.safetensors' } }) }))
    expect(error.found).toContain('3.safetensors')
  })

  test('that hold the same tensor twice, even with two dtypes, are refused', async () => {
    for (const dtype of ['F16', 'F32']) {
      const sources = [shard('1.safetensors', { a: 'F16' }), shard('2.safetensors', { a: dtype, b: 'F16' })]
      const error = await refusalOf(
        openSafetensors(sources, { index: await index({ weight_map: { a: '1.safetensors', b: '2.safetensors' } }) }),
      )
      expect(error.where).toMatchObject({ file: '2.safetensors', tensor: 'a' })
    }
  })

  test('that hold tensors in other files than the index says, more, or fewer, are refused', async () => {
    const swapped = await index({ weight_map: { a: '2.safetensors', b: '1.safetensors' } })
    expect(
      (await refusalOf(openSafetensors([shard('1.safetensors', { a: 'F16' }), shard('2.safetensors', { b: 'F16' })], { index: swapped })))
        .expected,
    ).toContain('1.safetensors')
    const one = await index({ weight_map: { a: '1.safetensors' } })
    expect((await refusalOf(openSafetensors(shard('1.safetensors', { a: 'F16', b: 'F16' }), { index: one }))).where.tensor).toBe('b')
    const two = await index({ weight_map: { a: '1.safetensors', b: '1.safetensors' } })
    expect((await refusalOf(openSafetensors(shard('1.safetensors', { a: 'F16' }), { index: two }))).where.tensor).toBe('b')
  })

  test('of which there are none are refused', async () => {
    expect((await refusalOf(openSafetensors([]))).code).toBe('argument')
  })
})
