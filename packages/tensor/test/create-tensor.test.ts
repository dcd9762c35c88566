import {
  arrayLength,
  byteLengthOf,
  type DataOf,
  type DType,
  elementsOf,
  isDataOf,
  packInt4,
  type Tensor,
  tensor,
  unpackInt4,
} from '@foretoken/tensor'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'

const arrays: { readonly [T in DType]: DataOf[T] } = {
  float32: new Float32Array(6),
  float64: new Float64Array(6),
  float16: new Uint16Array(6),
  bfloat16: new Uint16Array(6),
  int8: new Int8Array(6),
  uint8: new Uint8Array(6),
  int16: new Int16Array(6),
  uint16: new Uint16Array(6),
  int32: new Int32Array(6),
  uint32: new Uint32Array(6),
  int64: new BigInt64Array(6),
  uint64: new BigUint64Array(6),
  bool: new Uint8Array(6),
  int4: new Uint8Array(3),
  uint4: new Uint8Array(3),
}
const types = Object.keys(arrays) as DType[]

describe('tensor', () => {
  test.each(types)('of %s keeps the array and counts the elements', (type) => {
    expect(tensor(type, [2, 3], arrays[type])).toEqual({ type, dims: [2, 3], data: arrays[type], location: 'cpu', size: 6 })
    expect(tensor(type, [2, 3], arrays[type]).data).toBe(arrays[type])
    expect(byteLengthOf(type, 6)).toBe(arrays[type].byteLength)
  })

  test('without dimensions is a scalar, with a zero among them empty', () => {
    expect(tensor('int64', [], BigInt64Array.of(3n)).size).toBe(1)
    expect(tensor('float32', [0, 5], new Float32Array(0)).size).toBe(0)
  })

  test('of an odd number of 4-bit integers ends in half a byte', () => {
    expect(tensor('int4', [5], new Uint8Array(3)).size).toBe(5)
    expect(arrayLength('uint4', 5)).toBe(3)
  })

  test('does not follow a later change of the dimensions it was given', () => {
    const dims = [2, 3]
    const made = tensor('float32', dims, new Float32Array(6))
    dims[0] = 9
    expect(made.dims).toEqual([2, 3])
  })

  test.each([
    ['too few elements', [2, 3], 5],
    ['too many elements', [2, 3], 7],
    ['a negative dimension', [-2, -3], 6],
    ['a fractional dimension', [1.5, 4], 6],
    ['a dimension that is no number', [Number.NaN], 0],
    ['a product beyond 2^53', [2 ** 30, 2 ** 30], 6],
  ])('with %s is refused', (_, dims, length) => {
    expect(() => tensor('float32', dims, new Float32Array(length))).toThrow(expect.objectContaining({ code: 'shape' }))
  })

  test('with the array of another type is refused', () => {
    const data: unknown = new Float64Array(1)
    expect(() => tensor('float32', [1], data as Float32Array)).toThrow(expect.objectContaining({ code: 'dtype' }))
  })

  test('knows its array by its type, at compile time', () => {
    expectTypeOf(tensor('float16', [1], new Uint16Array(1))).toEqualTypeOf<Tensor<'float16'>>()
    expectTypeOf(tensor('int64', [1], new BigInt64Array(1)).data).toEqualTypeOf<BigInt64Array>()
    // @ts-expect-error float16 is held as bits
    tensor('float16', [2], Uint16Array.of(1, 2) as unknown as Float32Array)
  })

  test('is recognised after it came in a message', async () => {
    const copies = await new Promise<unknown>((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = ({ data }) => {
        port1.close()
        resolve(data)
      }
      port2.postMessage(Float32Array.of(1))
    })
    expect(isDataOf('float32', copies)).toBe(true)
    expect(isDataOf('float32', [1])).toBe(false)
    expect(isDataOf('float16', new Float32Array(1))).toBe(false)
  })

  test('elementsOf multiplies', () => {
    expect(elementsOf([2, 3, 4])).toBe(24)
    expect(elementsOf([])).toBe(1)
  })
})

describe('4-bit integers', () => {
  test('lie two to a byte, the first in the low nibble', () => {
    expect(Array.from(packInt4('int4', [1, -1, 7, -8, 3]))).toEqual([0xf1, 0x87, 0x03])
    expect(Array.from(unpackInt4('int4', Uint8Array.of(0xf1, 0x87, 0x03), 5))).toEqual([1, -1, 7, -8, 3])
    expect(Array.from(unpackInt4('uint4', Uint8Array.of(0xf1), 2))).toEqual([1, 15])
  })

  test('come back from packing as they were', () => {
    for (const [type, min] of [
      ['int4', -8],
      ['uint4', 0],
    ] as const) {
      fc.assert(
        fc.property(fc.array(fc.integer({ min, max: min + 15 })), (values) => {
          expect(Array.from(unpackInt4(type, packInt4(type, values), values.length))).toEqual(values)
        }),
      )
    }
  })

  test.each([
    ['int4', 8],
    ['int4', -9],
    ['uint4', -1],
    ['uint4', 16],
    ['int4', 0.5],
  ] as const)('refuse for %s the value %d', (type, value) => {
    expect(() => packInt4(type, [value])).toThrow(expect.objectContaining({ code: 'argument' }))
  })

  test('refuse to be more than the bytes hold', () => {
    expect(() => unpackInt4('int4', new Uint8Array(2), 5)).toThrow(expect.objectContaining({ code: 'argument' }))
  })
})
