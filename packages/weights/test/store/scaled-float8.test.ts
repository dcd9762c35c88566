import { bytesSource, decodeToFloat32, joinScaledFloat8, openSafetensors, writeSafetensors } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { joined } from '../builders/little-endian.ts'

const ROWS = 200
const COLUMNS = 300
/** 1.5, -2, 0.25 and 0 in E4M3: sign, four bits of exponent above 7, three of mantissa. */
const PATTERNS: readonly (readonly [number, number])[] = [
  [0b0_0111_100, 1.5],
  [0b1_1000_000, -2],
  [0b0_0101_000, 0.25],
  [0, 0],
]
const pattern = (at: number) => PATTERNS[(at * 7) % 4] ?? [0, 0]
const scale = (row: number, column: number) => 2 ** (3 * Math.floor(row / 128) + Math.floor(column / 128) - 2)

const open = (scaleShape: readonly number[] = [2, 3]) => {
  const scales = Float32Array.from({ length: 6 }, (_, at) => scale(Math.floor(at / 3) * 128, (at % 3) * 128))
  return openSafetensors(
    bytesSource(
      joined(
        ...writeSafetensors([
          {
            name: 'a.weight',
            encoding: 'F8_E4M3',
            shape: [ROWS, COLUMNS],
            bytes: Uint8Array.from({ length: ROWS * COLUMNS }, (_, at) => pattern(at)[0]),
          },
          { name: 'a.weight_scale_inv', encoding: 'F32', shape: scaleShape, bytes: new Uint8Array(scales.buffer) },
          { name: 'b', encoding: 'U8', shape: [1], bytes: Uint8Array.of(7) },
        ]),
      ),
      'model.safetensors',
    ),
  )
}

const expected = Float32Array.from({ length: ROWS * COLUMNS }, (_, at) => pattern(at)[1] * scale(Math.floor(at / COLUMNS), at % COLUMNS))

test('a tensor and its scales are one, read as float32', async () => {
  await using store = joinScaledFloat8(await open())
  expect([...store.tensors.keys()].sort()).toEqual(['a.weight', 'b'])
  const stored = await store.read('a.weight')
  expect(stored.info.encoding).toBe('F32')
  expect(decodeToFloat32(stored)).toEqual(expected)
  expect([...(await store.read('b')).bytes]).toEqual([7])
})

test('rows that are read alone have the scales of their own squares', async () => {
  await using store = joinScaledFloat8(await open())
  const rows = await store.read('a.weight', { firstRow: 120, rows: 20 })
  expect(rows.shape).toEqual([20, COLUMNS])
  expect(decodeToFloat32(rows)).toEqual(expected.subarray(120 * COLUMNS, 140 * COLUMNS))
})

test('scales of another shape stay tensors of their own', async () => {
  await using store = joinScaledFloat8(await open([3, 2]))
  expect([...store.tensors.keys()].sort()).toEqual(['a.weight', 'a.weight_scale_inv', 'b'])
})
