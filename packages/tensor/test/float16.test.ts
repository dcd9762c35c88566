import { decodeBFloat16, decodeFloat16, encodeBFloat16, encodeFloat16, float16FromNumber, numberFromFloat16 } from '@foretoken/tensor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFloat16InIntegers } from '../src/float16.ts'

interface Format {
  readonly exponentBits: number
  readonly fractionBits: number
}
const HALF: Format = { exponentBits: 5, fractionBits: 10 }
const BRAIN: Format = { exponentBits: 8, fractionBits: 7 }

/** The value of a bit pattern by the formula of IEEE 754. */
function ieeeValue(bits: number, { exponentBits, fractionBits }: Format): number {
  const bias = 2 ** (exponentBits - 1) - 1
  const exponent = Math.floor(bits / 2 ** fractionBits) % 2 ** exponentBits
  const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits
  const sign = bits >= 0x8000 ? -1 : 1
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias)
}

/** Nearest bit pattern by bisection over all of them; of two as near the even one. Infinity stands for the next power of two. */
function nearest(value: number, format: Format): number {
  if (Number.isNaN(value)) return -1
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const infinity = (2 ** format.exponentBits - 1) * 2 ** format.fractionBits
  const limit = 2 ** (2 ** (format.exponentBits - 1))
  const magnitude = Math.min(Math.abs(value), limit)
  const at = (bits: number) => (bits === infinity ? limit : ieeeValue(bits, format))
  let low = 0
  let high = infinity
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (at(middle) <= magnitude) low = middle
    else high = middle
  }
  const down = magnitude - at(low)
  const up = at(high) - magnitude
  return sign | (down < up || (down === up && low % 2 === 0) ? low : high)
}

/** Every float16 and bfloat16 border: values, midpoints, and the float32 neighbours of both. */
function borders(format: Format): Float32Array {
  const values: number[] = []
  const bits = new Uint32Array(1)
  const single = new Float32Array(bits.buffer)
  for (let pattern = 0; pattern < 0x7fff; pattern += 37) {
    const value = ieeeValue(pattern, format)
    const next = ieeeValue(pattern + 1, format)
    if (!Number.isFinite(next)) continue
    for (const exact of [value, value / 2 + next / 2]) {
      single[0] = exact
      const middle = bits[0] ?? 0
      for (const neighbour of [middle - 1, middle, middle + 1]) {
        bits[0] = Math.max(0, neighbour)
        values.push(single[0] ?? 0, -(single[0] ?? 0))
      }
    }
  }
  return Float32Array.from([
    ...values,
    65504,
    65519.99,
    65520,
    65536,
    1e38,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** -25,
    2 ** -24,
    2 ** -149,
  ])
}

const encoders = [
  ['float16', HALF, 0x7e00, (source: Float32Array) => encodeFloat16(source)],
  [
    'float16 in integer arithmetic',
    HALF,
    0x7e00,
    (source: Float32Array) => encodeFloat16InIntegers(source, new Uint16Array(source.length)),
  ],
  ['float16 one by one', HALF, 0x7e00, (source: Float32Array) => Uint16Array.from(source, float16FromNumber)],
  ['bfloat16', BRAIN, 0x7fc0, (source: Float32Array) => encodeBFloat16(source)],
] as const

describe.each(encoders)('encoding %s', (_, format, nan, encode) => {
  test('rounds to the nearest, ties to even, at every kind of border', () => {
    const source = borders(format)
    expect(encode(source)).toEqual(Uint16Array.from(source, (value) => nearest(value, format)))
  })

  test('rounds any float32 to the nearest', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true }), { maxLength: 50 }), (values) => {
        const source = Float32Array.from(values)
        expect(encode(source)).toEqual(Uint16Array.from(source, (value) => nearest(value, format)))
      }),
      { numRuns: 300 },
    )
  })

  test('makes one quiet NaN of every NaN', () => {
    const bits = Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff, 0x7fffe000)
    expect(Array.from(encode(new Float32Array(bits.buffer)))).toEqual([nan, nan, nan, nan, nan])
  })
})

describe.each([
  ['float16', HALF, decodeFloat16, encodeFloat16],
  ['bfloat16', BRAIN, decodeBFloat16, encodeBFloat16],
] as const)('decoding %s', (_, format, decode, encode) => {
  const every = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits)

  test('gives the value of every bit pattern', () => {
    const decoded = decode(every)
    for (let bits = 0; bits < 0x10000; bits++) {
      if (!Object.is(decoded[bits], ieeeValue(bits, format))) expect([bits, decoded[bits]]).toEqual([bits, ieeeValue(bits, format)])
    }
  })

  test('is undone by encoding, except for the payload of NaN', () => {
    const again = encode(decode(every))
    for (let bits = 0; bits < 0x10000; bits++) {
      if (again[bits] !== bits && !Number.isNaN(ieeeValue(bits, format))) expect(again[bits]).toBe(bits)
    }
  })

  test('reads and writes views inside larger buffers, and refuses a target of another length', () => {
    const target = new Float32Array(5)
    decode(Uint16Array.of(9, ...encode(Float32Array.of(1, -2))).subarray(1), target.subarray(2, 4))
    expect(Array.from(target)).toEqual([0, 0, 1, -2, 0])
    const bits = new Uint16Array(4)
    encode(Float32Array.of(7, 1, -2).subarray(1), bits.subarray(1, 3))
    expect(Array.from(bits)).toEqual([0, ...encode(Float32Array.of(1, -2)), 0])
    expect(() => decode(bits, target)).toThrow(expect.objectContaining({ code: 'shape' }))
    expect(() => encode(target, bits)).toThrow(expect.objectContaining({ code: 'shape' }))
  })
})

test('single numbers are decoded like arrays', () => {
  for (let bits = 0; bits < 0x10000; bits += 7) expect(numberFromFloat16(bits)).toEqual(ieeeValue(bits, HALF))
})
