import { openGguf } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { ggufFile, metadataEntry, soundGguf, stringEntry, stringsEntry, TYPE, uint32Entry, VALUE } from '../builders/gguf-file.ts'
import { joined, longText, text, uint8, uint16, uint32, uint64 } from '../builders/little-endian.ts'
import { refusedGguf } from '../builders/refusal.ts'
import { watchedSource } from '../builders/watched-source.ts'

/** A file with one tensor whose parts can be made wrong. */
function withTensor(
  tensor: { name?: string; dimensions?: readonly bigint[]; dimensionCount?: number; type?: number; offset?: bigint },
  data = new Uint8Array(64),
) {
  return ggufFile({ tensors: [{ name: 'a', dimensions: [16n], type: TYPE.F32, offset: 0n, ...tensor }], data })
}

describe('a sound file', () => {
  test('gives metadata, and shapes slowest first', async () => {
    await using store = await openGguf(watchedSource(soundGguf(), 'sound.gguf'))
    expect(store.format).toBe('gguf')
    expect(store.metadata.get('tokens')).toEqual(['a', 'ß', ''])
    expect(store.tensors.get('a')).toEqual({ name: 'a', encoding: 'F32', shape: [2, 4], byteLength: 32, file: 'sound.gguf' })
    expect((await store.read('b')).bytes).toEqual(new Uint8Array(32).map((_, index) => 32 + index))
  })

  test('may have version 2, a byte order mark as a token, keys like __proto__, and padding at the end that is missing', async () => {
    const file = ggufFile({
      version: 2,
      metadata: [
        stringsEntry('__proto__', ['\ufeff']),
        metadataEntry('nested', VALUE.array, joined(uint32(VALUE.array), uint64(1n), uint32(VALUE.uint8), uint64(2n), uint8(1, 2))),
      ],
      tensors: [{ name: 'a', dimensions: [3n], type: TYPE.I8, offset: 0n }],
      data: new Uint8Array([1, 2, 3]),
    })
    await using store = await openGguf(watchedSource(file))
    expect(store.metadata.get('__proto__')).toEqual(['\ufeff'])
    expect(store.metadata.get('nested')).toEqual([[1, 2]])
    expect((await store.read('a')).bytes).toEqual(new Uint8Array([1, 2, 3]))
  })

  test('whose header is longer than the first read is read in pieces, and the data are left alone', async () => {
    const tokens = Array.from({ length: 20_000 }, (_, index) => `token ${index} ${'-'.repeat(80)}`)
    const file = ggufFile({
      metadata: [stringsEntry('tokens', tokens)],
      tensors: [{ name: 'a', dimensions: [8_000_000n], type: TYPE.I8, offset: 0n }],
      data: new Uint8Array(8_000_000),
    })
    const source = watchedSource(file)
    await using store = await openGguf(source)
    expect(store.metadata.get('tokens')).toEqual(tokens)
    expect(source.readBytes()).toBeLessThan(5_000_000)
  })

  test('with an alignment of its own has its data at that multiple', async () => {
    const file = ggufFile({
      metadata: [uint32Entry('general.alignment', 64)],
      tensors: [{ name: 'a', dimensions: [4n], type: TYPE.I8, offset: 64n }],
      alignment: 64,
      data: new Uint8Array(68).fill(7, 64),
    })
    await using store = await openGguf(watchedSource(file))
    expect((await store.read('a')).bytes).toEqual(new Uint8Array([7, 7, 7, 7]))
  })
})

describe('a file cut off', () => {
  test('at any byte is refused, without reading past its end', async () => {
    const whole = soundGguf()
    for (let length = 0; length < whole.byteLength; length++) {
      const error = await refusedGguf(whole.subarray(0, length))
      expect(error.code).toBe('weights-format')
    }
  })
})

describe('the start of the file', () => {
  test('other letters than GGUF', async () => {
    expect((await refusedGguf(ggufFile({ magic: 'GGML' }))).where.offset).toBe(0)
  })
  test('versions 0, 1, 4 and later', async () => {
    for (const version of [0, 1, 4, 99, 0xffffffff]) expect((await refusedGguf(ggufFile({ version }))).where.offset).toBe(4)
  })
  test('big-endian', async () => {
    expect((await refusedGguf(ggufFile({ version: 0x03000000 }))).found).toBe('a big-endian file')
  })
  test('more tensors or entries than there can be', async () => {
    for (const count of [1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]) {
      expect((await refusedGguf(ggufFile({ tensorCount: count }))).where.offset).toBe(8)
      expect((await refusedGguf(ggufFile({ entryCount: count }))).where.offset).toBe(16)
    }
  })
})

describe('metadata', () => {
  test('an empty key', async () => {
    expect((await refusedGguf(ggufFile({ metadata: [uint32Entry('', 1), uint32Entry('long enough', 1)] }))).found).toBe('an empty key')
  })
  test('a key that is there twice', async () => {
    expect((await refusedGguf(ggufFile({ metadata: [uint32Entry('a.key', 1), uint32Entry('a.key', 1)] }))).where.field).toBe('a.key')
  })
  test('a key of 2^64 - 1 bytes', async () => {
    expect((await refusedGguf(ggufFile({ metadata: [joined(uint64(2n ** 64n - 1n), new Uint8Array(20))] }))).where.offset).toBe(24)
  })
  test('a key of 70,000 bytes', async () => {
    expect((await refusedGguf(ggufFile({ metadata: [uint32Entry('k'.repeat(70_000), 1)] }))).expected).toBe('at most 65535')
  })
  test('text that is not UTF-8, as key and as value', async () => {
    const broken = joined(uint64(2n), uint8(0x61, 0xff))
    expect((await refusedGguf(ggufFile({ metadata: [joined(broken, uint32(VALUE.uint32, 1))] }))).found).toContain('UTF-8')
    expect((await refusedGguf(ggufFile({ metadata: [metadataEntry('a.key', VALUE.string, broken)] }))).where.field).toBe('a.key')
  })
  test('a text of more than 10 MB', async () => {
    const error = await refusedGguf(
      ggufFile({ metadata: [metadataEntry('a.key', VALUE.string, joined(uint64(10_000_001n), new Uint8Array(10_000_001)))] }),
    )
    expect(error).toMatchObject({ found: '10000001 bytes of text', expected: 'at most 10000000', where: { field: 'a.key' } })
  })
  test('a type that does not exist', async () => {
    for (const type of [13, 77, 0xffffffff]) {
      expect((await refusedGguf(ggufFile({ metadata: [metadataEntry('a.key', type, new Uint8Array(8))] }))).found).toBe(
        `the value type ${type}`,
      )
    }
  })
  test('an array with more elements than the file has bytes, or than any file', async () => {
    for (const count of [2n ** 64n - 1n, 2n ** 61n, 10_000_001n, 9n]) {
      const error = await refusedGguf(
        ggufFile({ metadata: [metadataEntry('a.key', VALUE.array, joined(uint32(VALUE.uint8), uint64(count), new Uint8Array(8)))] }),
      )
      expect(error.where.field).toBe('a.key')
      expect(error.found).toBe(`${count} array elements`)
    }
  })
  test('arrays nested five deep', async () => {
    let value = joined(uint32(VALUE.uint8), uint64(1n), uint8(1))
    for (let depth = 1; depth < 5; depth++) value = joined(uint32(VALUE.array), uint64(1n), value)
    expect((await refusedGguf(ggufFile({ metadata: [metadataEntry('a.key', VALUE.array, value)] }))).expected).toBe('at most 4')
  })
  test('a truth value of 2', async () => {
    expect((await refusedGguf(ggufFile({ metadata: [metadataEntry('a.key', VALUE.bool, uint8(2))] }))).found).toBe('a truth value of 2')
  })
  test('an alignment of 0, 3, 4, 24, 2^31, or of another type', async () => {
    const values = [0, 3, 4, 24, 2 ** 31].map((value) => uint32Entry('general.alignment', value))
    values.push(
      metadataEntry('general.alignment', VALUE.uint64, uint64(32n)),
      stringEntry('general.alignment', '32'),
      stringsEntry('general.alignment', ['32']),
    )
    for (const entry of values) expect((await refusedGguf(ggufFile({ metadata: [entry] }))).where.field).toBe('general.alignment')
  })
})

describe('the directory of tensors', () => {
  test('an empty name, a name that is there twice, a name of 5,000 bytes', async () => {
    expect((await refusedGguf(withTensor({ name: '' }, new Uint8Array(65)))).found).toBe('a tensor without a name')
    const twice = { name: 'a', dimensions: [4n], type: TYPE.F32 }
    expect(
      (
        await refusedGguf(
          ggufFile({
            tensors: [
              { ...twice, offset: 0n },
              { ...twice, offset: 32n },
            ],
            data: new Uint8Array(64),
          }),
        )
      ).where.tensor,
    ).toBe('a')
    expect((await refusedGguf(withTensor({ name: 'n'.repeat(5000) }))).expected).toBe('at most 4096')
  })
  test('0, 5, 9 dimensions', async () => {
    for (const dimensionCount of [0, 5, 9, 0xffffffff]) {
      const error = await refusedGguf(withTensor({ dimensionCount }))
      expect(error).toMatchObject({ found: `${dimensionCount} dimensions`, where: { tensor: 'a' } })
    }
  })
  test('a dimension of 0, 2^53, 2^63', async () => {
    for (const dimension of [0n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      expect((await refusedGguf(withTensor({ dimensions: [dimension, 1n] }))).found).toBe(`a dimension of ${dimension}`)
    }
  })
  test('dimensions whose product overflows', async () => {
    for (const dimensions of [
      [2n ** 40n, 2n ** 40n],
      [2n ** 52n, 2n],
      [2n ** 32n, 2n ** 32n, 2n ** 32n, 2n ** 32n],
    ]) {
      expect((await refusedGguf(withTensor({ dimensions }))).found).toContain('overflows')
    }
  })
  test('a type that does not exist, and one that exists and is not read', async () => {
    expect((await refusedGguf(withTensor({ type: 250 }))).found).toBe('the unknown tensor type 250')
    const error = await refusedGguf(withTensor({ type: 20 }))
    expect(error).toMatchObject({ code: 'unsupported-encoding', found: 'the tensor type IQ4_NL', where: { tensor: 'a' } })
  })
  test('rows that are no whole blocks, even where the whole tensor is', async () => {
    const error = await refusedGguf(withTensor({ dimensions: [16n, 2n], type: TYPE.Q8_0 }))
    expect(error.expected).toBe('rows of whole blocks of 32')
  })
  test('an offset that is no multiple of the alignment', async () => {
    expect((await refusedGguf(withTensor({ dimensions: [4n], offset: 4n }))).expected).toContain('multiple of the alignment, 32')
  })
  test('an offset past the end, and data that end past it', async () => {
    expect((await refusedGguf(withTensor({ offset: 2n ** 64n - 32n }))).found).toContain('18446744073709551584')
    expect((await refusedGguf(withTensor({ offset: 64n }))).expected).toContain('inside of the file')
    expect((await refusedGguf(withTensor({ dimensions: [17n] }))).expected).toContain('inside of the file')
  })
  test('tensors that share bytes, both named', async () => {
    const tensors = ['first', 'second'].map((name, index) => ({ name, dimensions: [16n], type: TYPE.F32, offset: BigInt(32 * index) }))
    expect((await refusedGguf(ggufFile({ tensors, data: new Uint8Array(128) }))).message).toMatch(/second.*overlap.*first/)
  })
  test('sizes that are sound one by one and wrap when they are added', async () => {
    const tensors = [0n, 32n, 64n].map((offset, index) => ({ name: `t${index}`, dimensions: [2n ** 51n], type: TYPE.F32, offset }))
    expect((await refusedGguf(ggufFile({ tensors, data: new Uint8Array(128) }))).where.tensor).toBe('t0')
  })
})

test('uint16 values and long texts come out as they were written', async () => {
  const long = 'ß'.repeat(3_000_000)
  const file = ggufFile({
    metadata: [
      metadataEntry('short', VALUE.uint16, uint16(65_535)),
      stringEntry('long', long),
      joined(longText('k'), uint32(VALUE.string), longText('')),
    ],
  })
  await using store = await openGguf(watchedSource(joined(file, text('rest'))))
  expect(store.metadata.get('short')).toBe(65_535)
  expect(store.metadata.get('long')).toBe(long)
  expect(store.metadata.get('k')).toBe('')
})
