import { ArgumentError } from '@foretoken/tensor'
import { decodeToFloat32, openSafetensors } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { float32 } from '../builders/little-endian.ts'
import { refusalOf } from '../builders/refusal.ts'
import { entry, safetensorsFile } from '../builders/safetensors-file.ts'
import { watchedSource } from '../builders/watched-source.ts'

function file() {
  const header = {
    w: entry('F32', [3, 2], 0, 24),
    s: entry('F32', [], 24, 28),
    h: entry('F4', [2, 3], 28, 31),
    z: entry('F32', [0, 2], 31, 31),
  }
  const data = new Uint8Array(31)
  data.set(float32(0, 1, 2, 3, 4, 5, 6))
  return watchedSource(safetensorsFile({ header, data }), 'w.safetensors')
}

describe('reading a tensor', () => {
  test('gives some of its rows, and reads no others', async () => {
    const source = file()
    await using store = await openSafetensors(source)
    const before = source.readBytes()
    const stored = await store.read('w', { firstRow: 1, rows: 1 })
    expect(stored.shape).toEqual([1, 2])
    expect([...decodeToFloat32(stored)]).toEqual([2, 3])
    expect(source.readBytes() - before).toBe(8)
    expect((await store.read('w', { firstRow: 2 })).shape).toEqual([1, 2])
    expect((await store.read('w', { firstRow: 3 })).shape).toEqual([0, 2])
    expect((await store.read('z', { rows: 0 })).shape).toEqual([0, 2])
  })

  test('of rows that are not there, of a scalar, or of half bytes is refused', async () => {
    await using store = await openSafetensors(file())
    for (const rows of [{ firstRow: 2, rows: 2 }, { firstRow: -1 }, { rows: -1 }, { firstRow: 0.5 }, { firstRow: Number.NaN }]) {
      await expect(store.read('w', rows)).rejects.toBeInstanceOf(ArgumentError)
    }
    await expect(store.read('s', { rows: 1 })).rejects.toThrow(/scalar/)
    await expect(store.read('h', { rows: 1 })).rejects.toThrow(/whole bytes/)
  })

  test('that is not there names file and tensor', async () => {
    await using store = await openSafetensors(file())
    for (const name of ['nothing', 'constructor', '__proto__']) {
      const error = await refusalOf(store.read(name))
      expect(error).toMatchObject({ code: 'missing-tensor', where: { tensor: name, file: 'w.safetensors' } })
    }
  })

  test('takes an abort signal', async () => {
    await using store = await openSafetensors(file())
    const reason = new Error('enough')
    await expect(store.read('w', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect((await store.read('w')).bytes.byteLength).toBe(24)
  })
})

test('a store that was disposed of says so, and a second disposal does nothing', async () => {
  const source = file()
  const store = await openSafetensors(source)
  await store[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  expect(source.disposals()).toBe(1)
  expect((await refusalOf(store.read('w'))).code).toBe('disposed')
})
