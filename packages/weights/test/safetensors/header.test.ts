import { openSafetensors } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { float32, joined, text } from '../builders/little-endian.ts'
import { refusedSafetensors } from '../builders/refusal.ts'
import { entry, safetensorsFile } from '../builders/safetensors-file.ts'
import { watchedSource } from '../builders/watched-source.ts'

const SIXTEEN = new Uint8Array(16)

async function opened(bytes: Uint8Array) {
  return await openSafetensors(watchedSource(bytes, 'sound.safetensors'))
}

describe('a sound file', () => {
  test('gives names, encodings, shapes, metadata and bytes', async () => {
    const header = { __metadata__: { format: 'pt' }, b: entry('F32', [2], 0, 8), a: entry('BF16', [2, 1], 8, 12) }
    await using store = await opened(safetensorsFile({ header, data: joined(float32(1, 2), new Uint8Array([1, 2, 3, 4])) }))
    expect(store.format).toBe('safetensors')
    expect(store.metadata).toEqual(new Map([['format', 'pt']]))
    expect(store.tensors.get('a')).toEqual({ name: 'a', encoding: 'BF16', shape: [2, 1], byteLength: 4, file: 'sound.safetensors' })
    expect((await store.read('a')).bytes).toEqual(new Uint8Array([1, 2, 3, 4]))
    expect((await store.read('b')).bytes).toEqual(float32(1, 2))
  })

  test('may have trailing spaces in its header, no tensors, a scalar, and a dimension of 0', async () => {
    await using empty = await opened(safetensorsFile({ header: '{}   ' }))
    expect(empty.tensors.size).toBe(0)
    await using store = await opened(
      safetensorsFile({ header: { s: entry('F32', [], 0, 4), z: entry('F32', [0, 3], 4, 4) }, data: float32(7) }),
    )
    expect(store.tensors.get('s')?.shape).toEqual([])
    expect((await store.read('z')).bytes.byteLength).toBe(0)
    expect((await store.read('s')).bytes).toEqual(float32(7))
  })

  test('may have tensors that are not aligned to their elements', async () => {
    const header = { a: entry('U8', [1], 0, 1), b: entry('F32', [1], 1, 5) }
    await using store = await opened(safetensorsFile({ header, data: joined(new Uint8Array([9]), float32(5)) }))
    expect((await store.read('b')).bytes).toEqual(float32(5))
  })

  test('may name a tensor __proto__ or constructor', async () => {
    const header =
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"constructor":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}'
    await using store = await opened(safetensorsFile({ header, data: new Uint8Array([3, 4]) }))
    expect([...store.tensors.keys()]).toEqual(['__proto__', 'constructor'])
    expect((await store.read('__proto__')).bytes).toEqual(new Uint8Array([3]))
  })

  test('has every element type of the format', async () => {
    const bytes = {
      BOOL: 4,
      U8: 4,
      I8: 4,
      F8_E5M2: 4,
      F8_E4M3: 4,
      F8_E8M0: 4,
      F8_E4M3FNUZ: 4,
      F8_E5M2FNUZ: 4,
      F4: 2,
      F6_E2M3: 3,
      F6_E3M2: 3,
      I16: 8,
      U16: 8,
      F16: 8,
      BF16: 8,
      I32: 16,
      U32: 16,
      F32: 16,
      C64: 32,
      F64: 32,
      I64: 32,
      U64: 32,
    } // prettier: one line per width
    for (const [dtype, length] of Object.entries(bytes)) {
      await using store = await opened(safetensorsFile({ header: { a: entry(dtype, [2, 2], 0, length) }, data: new Uint8Array(length) }))
      expect(store.tensors.get('a')?.encoding).toBe(dtype)
    }
  })

  test('is read without its data', async () => {
    const source = watchedSource(
      safetensorsFile({ header: { a: entry('U8', [1_000_000], 0, 1_000_000) }, data: new Uint8Array(1_000_000) }),
    )
    await using store = await openSafetensors(source)
    expect(store.tensors.size).toBe(1)
    expect(source.readBytes()).toBeLessThan(200)
  })
})

describe('the length of the header', () => {
  test('no bytes at all', async () => {
    expect((await refusedSafetensors(new Uint8Array(0))).where.offset).toBe(0)
  })
  test('fewer than 8 bytes', async () => {
    expect((await refusedSafetensors(new Uint8Array(7))).found).toBe('7 bytes')
  })
  test('0', async () => {
    expect((await refusedSafetensors(safetensorsFile({ header: '', headerBytes: 0n }))).found).toBe('a header of 0 bytes')
  })
  test('longer than the file', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: '{}', headerBytes: 3n }))
    expect(error.message).toContain('a header inside of the file, which has 10 bytes')
  })
  test('more than 100 MB', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: '{}', headerBytes: 100_000_001n }))
    expect(error.expected).toBe('at most 100000000')
  })
  test('2^63', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: '{}', headerBytes: 2n ** 63n }))
    expect(error.found).toBe(`a header of ${2n ** 63n} bytes`)
  })
})

describe('the text of the header', () => {
  test('is not UTF-8: the byte is named', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: joined(text('{"ß":'), new Uint8Array([0xff]), text('}')) }))
    expect(error.where.offset).toBe(8 + 6)
  })
  test('is not JSON', async () => {
    expect((await refusedSafetensors(safetensorsFile({ header: '{"a":' }))).where.offset).toBe(8)
  })
  test('is an array', async () => {
    expect((await refusedSafetensors(safetensorsFile({ header: '[]' }))).expected).toContain('begins with {')
  })
  test('begins with a space or a byte order mark', async () => {
    expect((await refusedSafetensors(safetensorsFile({ header: ' {}' }))).expected).toContain('begins with {')
    expect((await refusedSafetensors(safetensorsFile({ header: '\ufeff{}' }))).expected).toContain('begins with {')
  })
  test('goes on after the object', async () => {
    expect((await refusedSafetensors(safetensorsFile({ header: '{} {}' }))).found).toContain('after the end')
  })
  test('is nested deeply', async () => {
    expect((await refusedSafetensors(safetensorsFile({ header: `{"a":${'['.repeat(100_000)}` }))).found).toContain('nesting')
  })
  test('has a tensor twice, even with the same contents', async () => {
    const one = '"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    const error = await refusedSafetensors(safetensorsFile({ header: `{${one},${one}}`, data: new Uint8Array(1) }))
    expect(error.where.tensor).toBe('a')
    expect(error.found).toContain('twice')
  })
  test('has a tensor twice, once written with an escape', async () => {
    const fields = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    expect((await refusedSafetensors(safetensorsFile({ header: `{"a":${fields},"\\u0061":${fields}}` }))).found).toContain('twice')
  })
  test('has __metadata__ twice', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: '{"__metadata__":{},"__metadata__":{}}' }))
    expect(error.message).toContain('__metadata__')
  })
  test('has metadata that are not strings', async () => {
    for (const value of [1, null, [], {}, true]) {
      const error = await refusedSafetensors(safetensorsFile({ header: { __metadata__: { key: value } } }))
      expect(error.where.field).toBe('__metadata__')
    }
    expect((await refusedSafetensors(safetensorsFile({ header: { __metadata__: 'text' } }))).where.field).toBe('__metadata__')
  })
})

describe('an entry of the header', () => {
  test('has an empty name', async () => {
    expect(
      (await refusedSafetensors(safetensorsFile({ header: { '': entry('U8', [1], 0, 1) }, data: new Uint8Array(1) }))).found,
    ).toContain('without a name')
  })
  test('has a name of a megabyte, which the message does not repeat', async () => {
    const error = await refusedSafetensors(
      safetensorsFile({ header: { ['n'.repeat(1_000_000)]: entry('U8', [1], 0, 1) }, data: new Uint8Array(1) }),
    )
    expect(error.found).toBe('a name of 1000000 characters')
  })
  test('is no object, lacks a field, or has one too many', async () => {
    for (const broken of [
      1,
      [],
      { dtype: 'U8', shape: [1] },
      { dtype: 'U8', data_offsets: [0, 1] },
      { shape: [1], data_offsets: [0, 1] },
    ]) {
      expect((await refusedSafetensors(safetensorsFile({ header: { a: broken }, data: new Uint8Array(1) }))).where.tensor).toBe('a')
    }
    const error = await refusedSafetensors(
      safetensorsFile({ header: { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1], strides: [1] } }, data: new Uint8Array(1) }),
    )
    expect(error.found).toContain('strides')
  })
  test('has a dtype that does not exist, or is no text', async () => {
    for (const dtype of ['F33', 'f32', '__proto__', 'Q4_0']) {
      const error = await refusedSafetensors(safetensorsFile({ header: { a: entry(dtype, [4], 0, 16) }, data: SIXTEEN }))
      expect(error.where).toMatchObject({ tensor: 'a', field: 'dtype' })
      expect(error.found).toContain(dtype)
    }
    expect(
      (await refusedSafetensors(safetensorsFile({ header: { a: { dtype: 5, shape: [4], data_offsets: [0, 16] } }, data: SIXTEEN }))).found,
    ).toBe('5')
  })
  test('has elements of 4 or 6 bits that do not fill whole bytes', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: { a: entry('F4', [3], 0, 2) }, data: new Uint8Array(2) }))
    expect(error.found).toContain('whole bytes')
    expect(
      (await refusedSafetensors(safetensorsFile({ header: { a: entry('F6_E2M3', [2], 0, 2) }, data: new Uint8Array(2) }))).found,
    ).toContain('whole bytes')
  })
  test('has a dimension that is negative, fractional, 2^53, or no number', async () => {
    for (const dimension of ['-1', '1.5', '9007199254740992', '"4"', 'null', '1e400']) {
      const header = `{"a":{"dtype":"F32","shape":[${dimension}],"data_offsets":[0,16]}}`
      expect((await refusedSafetensors(safetensorsFile({ header, data: SIXTEEN }))).where).toMatchObject({ tensor: 'a', field: 'shape' })
    }
  })
  test('has a shape whose product overflows', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: { a: entry('F32', [2 ** 40, 2 ** 40], 0, 16) }, data: SIXTEEN }))
    expect(error.found).toContain('overflows')
  })
  test('has more bytes or fewer than shape and dtype need', async () => {
    for (const shape of [[3], [5], [], [0]]) {
      const error = await refusedSafetensors(safetensorsFile({ header: { a: entry('F32', shape, 0, 16) }, data: SIXTEEN }))
      expect(error.where).toMatchObject({ tensor: 'a', field: 'data_offsets' })
    }
  })
  test('has offsets that are reversed, negative, one, or three', async () => {
    for (const offsets of [[16, 0], [-16, 0], [16], [0, 8, 16]]) {
      const header = { a: { dtype: 'F32', shape: [4], data_offsets: offsets } }
      expect((await refusedSafetensors(safetensorsFile({ header, data: SIXTEEN }))).where.tensor).toBe('a')
    }
  })
})

describe('the places of tensors', () => {
  test('two that share bytes are both named', async () => {
    const header = { a: entry('F32', [2], 0, 8), b: entry('F32', [2], 4, 12) }
    expect((await refusedSafetensors(safetensorsFile({ header, data: new Uint8Array(12) }))).message).toMatch(/b.*overlap.*a/)
  })
  test('a hole between two', async () => {
    const header = { a: entry('F32', [1], 0, 4), b: entry('F32', [1], 8, 12) }
    expect((await refusedSafetensors(safetensorsFile({ header, data: new Uint8Array(12) }))).found).toContain('bytes 4 to 8')
  })
  test('a hole before the first', async () => {
    expect(
      (await refusedSafetensors(safetensorsFile({ header: { a: entry('F32', [1], 4, 8) }, data: new Uint8Array(8) }))).found,
    ).toContain('bytes 0 to 4')
  })
  test('past the end of the file', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: { a: entry('F32', [4], 0, 16) }, data: new Uint8Array(15) }))
    expect(error.expected).toContain('inside of the 15')
  })
  test('bytes after the last', async () => {
    const error = await refusedSafetensors(safetensorsFile({ header: { a: entry('F32', [4], 0, 16) }, data: new Uint8Array(17) }))
    expect(error.found).toContain('1 bytes after the end of the last tensor')
  })
  test('data without tensors', async () => {
    expect((await refusedSafetensors(safetensorsFile({ header: {}, data: SIXTEEN }))).found).toContain('16 bytes')
  })
})
