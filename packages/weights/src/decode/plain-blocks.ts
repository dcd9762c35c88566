/**
 * GGUF's blocks of 32 elements with one scale: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_1. In the 4-bit part the low nibbles are elements 0 to 15 of the
 * block and the high ones 16 to 31.
 */
import type { UnpackedBlocks } from './block-codec.ts'
import { floatTable } from './small-floats.ts'

/** float16 scale, 16 bytes of nibbles; quants -8..7. */
export function unpackQ4_0(bytes: Uint8Array, start: number, blocks: number, { quants, scales }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start, to = 0; block < blocks; block++, at += 18, to += 32) {
    scales[block] = half[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 2 + j] ?? 0
      quants[to + j] = (pair & 15) - 8
      quants[to + 16 + j] = (pair >> 4) - 8
    }
  }
}

/** float16 scale, float16 minimum, 16 bytes of nibbles; quants 0..15. */
export function unpackQ4_1(bytes: Uint8Array, start: number, blocks: number, { quants, scales, minima }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start, to = 0; block < blocks; block++, at += 20, to += 32) {
    scales[block] = half[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
    minima[block] = half[(bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)] ?? 0
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 4 + j] ?? 0
      quants[to + j] = pair & 15
      quants[to + 16 + j] = pair >> 4
    }
  }
}

/** float16 scale, 32 fifth bits, 16 bytes of nibbles; quants -16..15. */
export function unpackQ5_0(bytes: Uint8Array, start: number, blocks: number, { quants, scales }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start, to = 0; block < blocks; block++, at += 22, to += 32) {
    scales[block] = half[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
    unpackFiveBits(bytes, at + 2, quants, to, 16)
  }
}

/** float16 scale, float16 minimum, 32 fifth bits, 16 bytes of nibbles; quants 0..31. */
export function unpackQ5_1(bytes: Uint8Array, start: number, blocks: number, { quants, scales, minima }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start, to = 0; block < blocks; block++, at += 24, to += 32) {
    scales[block] = half[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
    minima[block] = half[(bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)] ?? 0
    unpackFiveBits(bytes, at + 4, quants, to, 0)
  }
}

/** float16 scale, 32 signed bytes. */
export function unpackQ8_0(bytes: Uint8Array, start: number, blocks: number, { quants, scales }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start, to = 0; block < blocks; block++, at += 34, to += 32) {
    scales[block] = half[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
    for (let j = 0; j < 32; j++) quants[to + j] = bytes[at + 2 + j] ?? 0
  }
}

/** float16 scale, float16 sum of the block (which only products with activations use), 32 signed bytes. */
export function unpackQ8_1(bytes: Uint8Array, start: number, blocks: number, { quants, scales }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start, to = 0; block < blocks; block++, at += 36, to += 32) {
    scales[block] = half[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
    for (let j = 0; j < 32; j++) quants[to + j] = bytes[at + 4 + j] ?? 0
  }
}

/** Four bytes of fifth bits, then 16 of nibbles; `zero` is taken off. */
function unpackFiveBits(bytes: Uint8Array, at: number, quants: Int8Array, to: number, zero: number): void {
  const fifths = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
  for (let j = 0; j < 16; j++) {
    const pair = bytes[at + 4 + j] ?? 0
    quants[to + j] = ((pair & 15) | (((fifths >>> j) & 1) << 4)) - zero
    quants[to + 16 + j] = ((pair >> 4) | (((fifths >>> (16 + j)) & 1) << 4)) - zero
  }
}
