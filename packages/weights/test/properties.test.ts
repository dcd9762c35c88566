import { ForetokenError } from '@foretoken/tensor'
import { decodeToFloat32, openGguf, openSafetensors, UnsupportedEncodingError } from '@foretoken/weights'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joined } from './builders/little-endian.ts'
import { type RandomFile, randomGguf, randomSafetensors } from './builders/random-files.ts'
import { watchedSource } from './builders/watched-source.ts'

const FORMATS = [
  ['safetensors', openSafetensors, randomSafetensors],
  ['GGUF', openGguf, randomGguf],
] as const

type Open = (typeof FORMATS)[number][1]

/** Opens bytes and reads everything; passes when that works or ends with one of our errors, having read no more than the file a few times over. */
async function openOrRefuse(open: Open, bytes: Uint8Array): Promise<void> {
  const source = watchedSource(bytes)
  try {
    await using store = await open(source)
    let total = 0
    for (const [name, info] of store.tensors) {
      total += info.byteLength
      const stored = await store.read(name)
      try {
        decodeToFloat32(stored)
      } catch (error) {
        if (!(error instanceof UnsupportedEncodingError)) throw error
      }
    }
    expect(total).toBeLessThanOrEqual(bytes.byteLength)
  } catch (error) {
    if (!(error instanceof ForetokenError)) throw error
  }
  expect(source.disposals()).toBe(1)
  expect(source.readBytes()).toBeLessThanOrEqual(3 * bytes.byteLength)
}

interface Change {
  readonly at: number
  readonly bytes: Uint8Array
  readonly removed: number
}

/** Overwrites, inserts and removes bytes; also numbers that are great or negative. */
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom(0, 0x7f, 0x80, 0xff).map((value) => new Uint8Array(8).fill(value)),
  ),
  removed: fc.oneof(fc.nat(8), fc.nat(200)),
})

function changed({ bytes }: RandomFile, changes: readonly Change[]): Uint8Array {
  return changes.reduce((current, { at, bytes, removed }) => {
    const start = at % (current.byteLength + 1)
    return joined(current.subarray(0, start), bytes, current.subarray(start + removed))
  }, bytes)
}

for (const [format, open, randomFile] of FORMATS) {
  describe(format, () => {
    test('a sound file is read back as it was written', async () => {
      await fc.assert(
        fc.asyncProperty(randomFile, async ({ tensors, metadata, bytes }) => {
          await using store = await open(watchedSource(bytes))
          expect(store.metadata).toEqual(metadata)
          expect([...store.tensors.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort())
          for (const { name, encoding, shape, bytes } of tensors) {
            expect(store.tensors.get(name)).toMatchObject({ encoding, shape })
            expect((await store.read(name)).bytes).toEqual(bytes)
          }
        }),
        { numRuns: 300 },
      )
    })

    test('a file with changed bytes is read or refused, and nothing else happens', async () => {
      await fc.assert(
        fc.asyncProperty(randomFile, fc.array(change, { minLength: 1, maxLength: 3 }), (file, changes) =>
          openOrRefuse(open, changed(file, changes)),
        ),
        { numRuns: 1500 },
      )
    })

    test('random bytes are refused', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
          await openOrRefuse(open, bytes)
          await openOrRefuse(open, joined(new TextEncoder().encode('GGUF\x03\0\0\0'), bytes))
        }),
        { numRuns: 500 },
      )
    })
  })
}
