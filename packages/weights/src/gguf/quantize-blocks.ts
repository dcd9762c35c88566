/**
 * Float32 values into GGUF's plain blocks of 32, the same bits as the reference (the Python package `gguf`) gives: sums and products are rounded to float32
 * where it rounds, the scale is stored as float16 while the quants come from the unrounded one.
 */
import { ArgumentError, float16FromNumber } from '@foretoken/tensor'
import { layoutOf } from '../encoding.ts'

export type WritableBlocks = 'Q4_0' | 'Q4_1' | 'Q8_0'

/**
 * @param values    whole blocks of 32 finite numbers
 * @returns         the bytes of the blocks
 * @throws {ArgumentError} when the values do not fill whole blocks or are not finite
 */
export function quantizeBlocks(values: Float32Array, encoding: WritableBlocks): Uint8Array {
  const { elements, bytes: blockBytes } = layoutOf(encoding)
  if (values.length % elements !== 0)
    throw new ArgumentError({ field: 'values', found: `${values.length} values`, expected: `whole blocks of ${elements}` })
  const bytes = new Uint8Array((values.length / elements) * blockBytes)
  const quantize = { Q4_0: quantizeQ4_0, Q4_1: quantizeQ4_1, Q8_0: quantizeQ8_0 }[encoding]
  for (let from = 0, at = 0; from < values.length; from += elements, at += blockBytes) quantize(values, from, bytes, at)
  return bytes
}

/** The value of greatest magnitude becomes -8. */
function quantizeQ4_0(values: Float32Array, from: number, bytes: Uint8Array, at: number): void {
  let extreme = 0
  for (let i = 0; i < 32; i++) {
    const value = finite(values[from + i])
    if (Math.abs(value) > Math.abs(extreme)) extreme = value
  }
  const scale = Math.fround(extreme / -8)
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
  writeHalf(bytes, at, scale)
  for (let i = 0; i < 16; i++) {
    const low = nibble(Math.fround(Math.fround((values[from + i] ?? 0) * inverse) + 8.5))
    const high = nibble(Math.fround(Math.fround((values[from + 16 + i] ?? 0) * inverse) + 8.5))
    bytes[at + 2 + i] = low | (high << 4)
  }
}

/** The least value becomes 0, the greatest 15. */
function quantizeQ4_1(values: Float32Array, from: number, bytes: Uint8Array, at: number): void {
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < 32; i++) {
    const value = finite(values[from + i])
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  const scale = Math.fround(Math.fround(greatest - least) / 15)
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
  writeHalf(bytes, at, scale)
  writeHalf(bytes, at + 2, least)
  for (let i = 0; i < 16; i++) {
    const low = nibble(Math.fround(Math.fround(Math.fround((values[from + i] ?? 0) - least) * inverse) + 0.5))
    const high = nibble(Math.fround(Math.fround(Math.fround((values[from + 16 + i] ?? 0) - least) * inverse) + 0.5))
    bytes[at + 4 + i] = low | (high << 4)
  }
}

/** The greatest magnitude becomes 127; halves are rounded away from zero. */
function quantizeQ8_0(values: Float32Array, from: number, bytes: Uint8Array, at: number): void {
  let greatest = 0
  for (let i = 0; i < 32; i++) greatest = Math.max(greatest, Math.abs(finite(values[from + i])))
  const scale = Math.fround(greatest / 127)
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
  writeHalf(bytes, at, scale)
  for (let i = 0; i < 32; i++) {
    const scaled = Math.fround((values[from + i] ?? 0) * inverse)
    bytes[at + 2 + i] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5)
  }
}

function nibble(value: number): number {
  return Math.min(15, Math.max(0, Math.trunc(value)))
}

function finite(value: number | undefined): number {
  if (value !== undefined && Number.isFinite(value)) return value
  throw new ArgumentError({ field: 'values', found: String(value), expected: 'finite numbers' })
}

function writeHalf(bytes: Uint8Array, at: number, value: number): void {
  const half = float16FromNumber(value)
  bytes[at] = half & 255
  bytes[at + 1] = half >> 8
}
