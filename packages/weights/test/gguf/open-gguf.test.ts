import { openGguf } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { ggufFile, metadataEntry, stringEntry, TYPE, VALUE } from '../builders/gguf-file.ts'
import { uint16, uint32 } from '../builders/little-endian.ts'
import { refusalOf } from '../builders/refusal.ts'
import { watchedSource } from '../builders/watched-source.ts'

/** Part `no` of a model that was split; each holds one tensor. */
function part(no: number, { count = 2, total = 2, tensor = `t${no}` } = {}) {
  const metadata = [
    ...(no === 0 ? [stringEntry('general.architecture', 'llama')] : []),
    metadataEntry('split.no', VALUE.uint16, uint16(no)),
    metadataEntry('split.count', VALUE.uint16, uint16(count)),
    metadataEntry('split.tensors.count', VALUE.int32, uint32(total)),
  ]
  const tensors = [{ name: tensor, dimensions: [4n], type: TYPE.I8, offset: 0n }]
  return watchedSource(ggufFile({ metadata, tensors, data: new Uint8Array(4).fill(no) }), `part-${no}.gguf`)
}

describe('a split model', () => {
  test('is one store with the metadata of its first part', async () => {
    await using store = await openGguf([part(0), part(1)])
    expect(store.metadata.get('general.architecture')).toBe('llama')
    expect([...store.tensors.keys()]).toEqual(['t0', 't1'])
    expect((await store.read('t1')).bytes).toEqual(new Uint8Array([1, 1, 1, 1]))
  })

  test('with a part missing, doubled, or out of order is refused, and all parts are closed', async () => {
    for (const [parts, field] of [
      [[part(0)], 'split.count'],
      [[part(0), part(1), part(1)], 'split.count'],
      [[part(1), part(0)], 'split.no'],
      [[part(0), part(0)], 'split.no'],
    ] as const) {
      const error = await refusalOf(openGguf(parts))
      expect(error).toMatchObject({ code: 'weights-format', where: { field } })
      expect(new Set(parts).size).toBe(parts.reduce((closed, source) => closed + source.disposals(), 0))
    }
  })

  test('with another number of tensors than it says, or a tensor in two parts, is refused', async () => {
    expect((await refusalOf(openGguf([part(0, { total: 3 }), part(1, { total: 3 })]))).where.field).toBe('split.tensors.count')
    expect((await refusalOf(openGguf([part(0), part(1, { tensor: 't0' })]))).where).toMatchObject({ tensor: 't0', file: 'part-1.gguf' })
  })

  test('whose numbers are texts is refused', async () => {
    const source = watchedSource(ggufFile({ metadata: [stringEntry('split.count', 'two')] }))
    expect((await refusalOf(openGguf(source))).where.field).toBe('split.count')
  })
})

test('two files that are not parts of one model are refused', async () => {
  const whole = () => watchedSource(ggufFile({ metadata: [stringEntry('general.architecture', 'llama')] }))
  expect((await refusalOf(openGguf([whole(), whole()]))).where.field).toBe('split.count')
  expect((await refusalOf(openGguf([]))).code).toBe('argument')
})

test('an abort before the header is read closes the source and gives the reason', async () => {
  const source = part(0, { count: 1, total: 1 })
  const reason = new Error('enough')
  await expect(openGguf(source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(source.disposals()).toBe(1)
})
