/**
 * Encodings that store each element at its own place: floats of 64 to 4 bits, integers, truth values. Little-endian, as both formats have it; bytes may
 * start at any address, so wide elements are viewed in place when they happen to be aligned and copied once otherwise.
 * Integers of 64 bits are rounded twice on their way (to 53 bits, then to 24); weights are never stored in them.
 */
import type { TensorEncoding } from '../weight-store.ts'
import { floatTable, type SmallFloat } from './small-floats.ts'

/** Decodes elements [first, first + count) into `out` from `to` on. */
export type DecodeElements = (bytes: Uint8Array, first: number, count: number, out: Float32Array, to: number) => void

const DECODERS: ReadonlyMap<TensorEncoding, DecodeElements> = new Map<TensorEncoding, DecodeElements>([
  ['F64', (bytes, first, count, out, to) => out.set(new Float64Array(aligned(bytes, first * 8, count * 8)), to)],
  ['F32', (bytes, first, count, out, to) => out.set(float32View(bytes, first * 4, count), to)],
  ['F16', (bytes, first, count, out, to) => decodePairs(floatTable('F16'), bytes, first, count, out, to)],
  ['BF16', decodeBfloat16],
  ['F8_E4M3', byTable('F8_E4M3')],
  ['F8_E5M2', byTable('F8_E5M2')],
  ['F8_E4M3FNUZ', byTable('F8_E4M3FNUZ')],
  ['F8_E5M2FNUZ', byTable('F8_E5M2FNUZ')],
  ['F8_E8M0', byTable('F8_E8M0')],
  ['F4', decodeNibbles],
  ['F6_E2M3', sixBits('F6_E2M3')],
  ['F6_E3M2', sixBits('F6_E3M2')],
  ['I64', (bytes, first, count, out, to) => decodeBigints(new BigInt64Array(aligned(bytes, first * 8, count * 8)), out, to)],
  ['U64', (bytes, first, count, out, to) => decodeBigints(new BigUint64Array(aligned(bytes, first * 8, count * 8)), out, to)],
  ['I32', (bytes, first, count, out, to) => out.set(new Int32Array(aligned(bytes, first * 4, count * 4)), to)],
  ['U32', (bytes, first, count, out, to) => out.set(new Uint32Array(aligned(bytes, first * 4, count * 4)), to)],
  ['I16', (bytes, first, count, out, to) => out.set(new Int16Array(aligned(bytes, first * 2, count * 2)), to)],
  ['U16', (bytes, first, count, out, to) => out.set(new Uint16Array(aligned(bytes, first * 2, count * 2)), to)],
  ['I8', (bytes, first, count, out, to) => out.set(new Int8Array(bytes.buffer, bytes.byteOffset + first, count), to)],
  ['U8', (bytes, first, count, out, to) => out.set(bytes.subarray(first, first + count), to)],
  ['BOOL', (bytes, first, count, out, to) => out.set(bytes.subarray(first, first + count), to)],
])

/** How to decode an encoding element by element; undefined for blocks and for complex numbers. */
export function elementDecoder(encoding: TensorEncoding): DecodeElements | undefined {
  return DECODERS.get(encoding)
}

/** A view when the address allows it, of a copy otherwise. */
function float32View(bytes: Uint8Array, start: number, count: number): Float32Array {
  const address = bytes.byteOffset + start
  return address % 4 === 0 ? new Float32Array(bytes.buffer, address, count) : new Float32Array(aligned(bytes, start, count * 4))
}

function aligned(bytes: Uint8Array, start: number, length: number): ArrayBuffer {
  const copy = new Uint8Array(length)
  copy.set(bytes.subarray(start, start + length))
  return copy.buffer
}

function decodePairs(table: Float32Array, bytes: Uint8Array, first: number, count: number, out: Float32Array, to: number): void {
  for (let i = 0, at = 2 * first; i < count; i++, at += 2) out[to + i] = table[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
}

/** The upper half of a float32. */
function decodeBfloat16(bytes: Uint8Array, first: number, count: number, out: Float32Array, to: number): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset + 4 * to, count)
  for (let i = 0, at = 2 * first; i < count; i++, at += 2) bits[i] = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 24)
}

function byTable(type: SmallFloat): DecodeElements {
  return (bytes, first, count, out, to) => {
    const table = floatTable(type)
    for (let i = 0; i < count; i++) out[to + i] = table[bytes[first + i] ?? 0] ?? 0
  }
}

/** Two elements per byte, the first in the low nibble. */
function decodeNibbles(bytes: Uint8Array, first: number, count: number, out: Float32Array, to: number): void {
  const table = floatTable('F4')
  for (let i = 0; i < count; i++) {
    const element = first + i
    out[to + i] = table[((bytes[element >> 1] ?? 0) >> ((element & 1) << 2)) & 15] ?? 0
  }
}

/** Four elements in three bytes, the first in the lowest bits; the format's description leaves the order open, this is the order of its 4-bit type. */
function sixBits(type: 'F6_E2M3' | 'F6_E3M2'): DecodeElements {
  return (bytes, first, count, out, to) => {
    const table = floatTable(type)
    for (let i = 0; i < count; i++) {
      const bit = 6 * (first + i)
      const at = Math.floor(bit / 8)
      const pair = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
      out[to + i] = table[(pair >> (bit % 8)) & 63] ?? 0
    }
  }
}

function decodeBigints(values: BigInt64Array | BigUint64Array, out: Float32Array, to: number): void {
  for (let i = 0; i < values.length; i++) out[to + i] = Number(values[i] ?? 0n)
}
