import { bytesSource, type GgufValue, openGguf, writeGguf } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { soundGguf } from '../builders/gguf-file.ts'
import { joined } from '../builders/little-endian.ts'

test('the bytes are those of the format', () => {
  const data = new Uint8Array(64).map((_, index) => index)
  const texts = ['a', 'ß', ''].map((value): GgufValue => ({ type: 'string', value }))
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['llama.block_count', { type: 'uint32', value: 1 }],
    ['tokens', { type: 'array', elementType: 'string', values: texts }],
  ])
  const tensors = [
    { name: 'a', encoding: 'F32', shape: [2, 4], bytes: data.subarray(0, 32) },
    { name: 'b', encoding: 'I8', shape: [32], bytes: data.subarray(32) },
  ] as const
  expect(joined(...writeGguf(tensors, metadata))).toEqual(soundGguf())
})

test('values of every type are read back, with an alignment of 64', async () => {
  const numbers = {
    uint8: 200,
    int8: -5,
    uint16: 65_000,
    int16: -300,
    uint32: 4_000_000_000,
    int32: -7,
    float32: 0.5,
    float64: 1 / 3,
  } as const
  const metadata = new Map<string, GgufValue>([
    ['general.alignment', { type: 'uint32', value: 64 }],
    ['uint64', { type: 'uint64', value: 2n ** 63n }],
    ['int64', { type: 'int64', value: -(2n ** 62n) }],
    ['bool', { type: 'bool', value: true }],
    [
      'nested',
      { type: 'array', elementType: 'array', values: [{ type: 'array', elementType: 'int8', values: [{ type: 'int8', value: -1 }] }] },
    ],
    ['empty', { type: 'array', elementType: 'float64', values: [] }],
  ])
  for (const type of ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'float32', 'float64'] as const)
    metadata.set(type, { type, value: numbers[type] })
  const tensors = ['x', 'y'].map((name) => ({ name, encoding: 'I8' as const, shape: [1], bytes: new Uint8Array([name.charCodeAt(0)]) }))
  await using store = await openGguf(bytesSource(joined(...writeGguf(tensors, metadata))))
  expect(Object.fromEntries(store.metadata)).toEqual({
    ...numbers,
    'general.alignment': 64,
    uint64: 2n ** 63n,
    int64: -(2n ** 62n),
    bool: true,
    nested: [[-1]],
    empty: [],
  })
  expect((await store.read('y')).bytes).toEqual(new Uint8Array(['y'.charCodeAt(0)]))
})

test('what no reader would accept is not written', () => {
  const tensor = { name: 'a', encoding: 'F32', shape: [1], bytes: new Uint8Array(4) } as const
  expect(() => writeGguf([tensor, tensor])).toThrow(/twice/)
  expect(() => writeGguf([{ name: 'a', encoding: 'U8', shape: [1], bytes: new Uint8Array(1) }])).toThrow(/U8/)
  expect(() => writeGguf([{ ...tensor, shape: [] }])).toThrow(/0 dimensions/)
  const mixed: GgufValue = { type: 'array', elementType: 'bool', values: [{ type: 'uint8', value: 1 }] }
  expect(() => writeGguf([], new Map([['key', mixed]]))).toThrow(/key.*uint8/)
})
