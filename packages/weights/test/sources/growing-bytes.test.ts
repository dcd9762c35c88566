import { expect, test } from 'vitest'
import { GrowingBytes } from '../../src/sources/growing-bytes.ts'

const BLOCK = 32 * 1024 * 1024

test('what was appended in parts is read back from any place, across blocks too', async () => {
  const length = 2 * BLOCK + 1000
  const held = new GrowingBytes(length)
  const at = (index: number) => (index * 31 + (index >> 16)) & 255
  const step = 5_000_011
  for (let start = 0; start < length; start += step) {
    held.append(Uint8Array.from({ length: Math.min(step, length - start) }, (_, index) => at(start + index)))
  }
  expect(held.byteLength).toBe(length)
  await using source = held.source('held')
  for (const [offset, count] of [
    [0, 10],
    [BLOCK - 5, 10],
    [BLOCK, 7],
    [BLOCK - 3, BLOCK + 6],
    [length - 4, 4],
    [length, 0],
  ] as const) {
    const bytes = await source.read(offset, count)
    expect(bytes.byteLength).toBe(count)
    for (let index = 0; index < count; index += Math.max(1, count >> 10)) expect(bytes[index]).toBe(at(offset + index))
  }
})

test('more than was expected is refused, and so are a read outside and one after disposal', async () => {
  const held = new GrowingBytes(4)
  held.append(Uint8Array.of(1, 2, 3))
  expect(() => held.append(Uint8Array.of(4, 5))).toThrow(expect.objectContaining({ code: 'argument' }))
  const source = held.source('held')
  await expect(source.read(2, 2)).rejects.toMatchObject({ code: 'argument' })
  await source[Symbol.asyncDispose]()
  await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'disposed' })
})
