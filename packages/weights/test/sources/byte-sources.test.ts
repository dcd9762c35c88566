import { type ByteSource, blobSource, bytesSource } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { refusalOf } from '../builders/refusal.ts'

const BYTES = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7])

const SOURCES: readonly (readonly [string, () => ByteSource])[] = [
  ['bytes', () => bytesSource(BYTES, 'some.bin')],
  ['a blob', () => blobSource(new Blob([BYTES]), 'some.bin')],
  ['a file that a user chose', () => blobSource(new File([BYTES], 'some.bin'))],
]

describe('a source of bytes', () => {
  for (const [what, open] of SOURCES) {
    test(`from ${what} reads any range inside of it`, async () => {
      await using source = open()
      expect(source).toMatchObject({ name: 'some.bin', byteLength: 8 })
      expect([...(await source.read(2, 3))]).toEqual([2, 3, 4])
      expect([...(await source.read(8, 0))]).toEqual([])
    })

    test(`from ${what} refuses ranges outside of it, and reads after disposal`, async () => {
      const source = open()
      for (const [offset, length] of [
        [7, 2],
        [-1, 1],
        [0, -1],
        [0.5, 1],
        [0, Number.POSITIVE_INFINITY],
      ] as const) {
        expect((await refusalOf(source.read(offset, length))).code).toBe('argument')
      }
      await expect(source.read(0, 1, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
      await source[Symbol.asyncDispose]()
      expect((await refusalOf(source.read(0, 1))).code).toBe('disposed')
    })
  }
})
