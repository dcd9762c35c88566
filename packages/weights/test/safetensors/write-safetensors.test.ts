import { bytesSource, openSafetensors, writeSafetensors } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { joined, text } from '../builders/little-endian.ts'

test('what is written is read back: names, encodings, shapes, bytes, metadata', async () => {
  const tensors = [
    { name: 'ß"\\', encoding: 'F32', shape: [2, 1], bytes: new Uint8Array(8).fill(1) },
    { name: '__proto__', encoding: 'U8', shape: [3], bytes: new Uint8Array([1, 2, 3]) },
    { name: 'none', encoding: 'BF16', shape: [0], bytes: new Uint8Array(0) },
  ] as const
  const file = joined(...writeSafetensors(tensors, new Map([['format', 'pt']])))
  await using store = await openSafetensors(bytesSource(file))
  expect(store.metadata).toEqual(new Map([['format', 'pt']]))
  for (const { name, encoding, shape, bytes } of tensors) {
    expect(store.tensors.get(name)).toMatchObject({ encoding, shape })
    expect((await store.read(name)).bytes).toEqual(bytes)
  }
})

test('the bytes are those of the format: length, JSON padded to 8 with spaces, data', () => {
  const file = joined(...writeSafetensors([{ name: 'a', encoding: 'U8', shape: [2], bytes: new Uint8Array([7, 8]) }]))
  const json = '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   '
  expect(file).toEqual(joined(new Uint8Array([json.length, 0, 0, 0, 0, 0, 0, 0]), text(json), new Uint8Array([7, 8])))
})

test('what no reader would accept is not written', () => {
  const bytes = new Uint8Array(4)
  const sound = { name: 'a', encoding: 'F32', shape: [1], bytes } as const
  expect(() => writeSafetensors([sound, sound])).toThrow(/twice/)
  expect(() => writeSafetensors([{ ...sound, name: '' }])).toThrow(/empty/)
  expect(() => writeSafetensors([{ ...sound, name: '__metadata__' }])).toThrow(/reserved/)
  expect(() => writeSafetensors([{ ...sound, shape: [2] }])).toThrow(/4 bytes, expected 8 bytes/)
  expect(() => writeSafetensors([{ name: 'a', encoding: 'Q8_0', shape: [32], bytes: new Uint8Array(34) }])).toThrow(/Q8_0/)
})
