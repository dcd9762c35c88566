import { bytesSource, decodeToFloat32, joinMicroscaled, openSafetensors, writeSafetensors } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { joined } from '../builders/little-endian.ts'
import { randomBytes } from '../builders/random-bytes.ts'

const MAGNITUDES = [0, 0.5, 1, 1.5, 2, 3, 4, 6]

const blocks = randomBytes(3 * 2 * 4 * 16, 5)
const scales = randomBytes(3 * 2 * 4, 6).map((exponent) => 100 + (exponent % 50))
const open = (scaleShape: readonly number[] = [3, 2, 4]) =>
  openSafetensors(
    bytesSource(
      joined(
        ...writeSafetensors([
          { name: 'a_blocks', encoding: 'U8', shape: [3, 2, 4, 16], bytes: blocks },
          { name: 'a_scales', encoding: 'U8', shape: scaleShape, bytes: scales },
          { name: 'b', encoding: 'U8', shape: [1], bytes: Uint8Array.of(7) },
        ]),
      ),
      'model.safetensors',
    ),
  )

/** Element 2j is the low half of byte j, element 2j + 1 the high one; [3, 2, 128] */
function expected(): Float32Array {
  return Float32Array.from({ length: 3 * 2 * 128 }, (_, at) => {
    const pattern = ((blocks[at >> 1] ?? 0) >> (4 * (at % 2))) & 15
    const magnitude = MAGNITUDES[pattern % 8] ?? 0
    return magnitude === 0 ? 0 : (pattern < 8 ? magnitude : -magnitude) * 2 ** ((scales[at >> 5] ?? 0) - 127)
  })
}

test('blocks and scales are one tensor', async () => {
  await using store = joinMicroscaled(await open())
  expect([...store.tensors.keys()].sort()).toEqual(['a_blocks', 'b'])
  expect(store.tensors.get('a_blocks')).toMatchObject({ encoding: 'MXFP4', shape: [3, 2, 128], byteLength: 3 * 2 * 4 * 17 })
  expect(decodeToFloat32(await store.read('a_blocks'))).toEqual(expected())
  expect([...(await store.read('b')).bytes]).toEqual([7])
})

test('rows are read alone', async () => {
  await using store = joinMicroscaled(await open())
  const row = await store.read('a_blocks', { firstRow: 1, rows: 1 })
  expect(row.shape).toEqual([1, 2, 128])
  expect(decodeToFloat32(row)).toEqual(expected().subarray(256, 512))
})

test('tensors that only have such names stay as they are', async () => {
  await using store = joinMicroscaled(await open([24]))
  expect([...store.tensors.keys()].sort()).toEqual(['a_blocks', 'a_scales', 'b'])
})
