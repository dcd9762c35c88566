/**
 * GGUF's super-blocks of 256 elements ("K quants"): groups of 16 or 32 elements have small integer scales (and minima), which share float16 factors.
 * A group's scale is the float32 product of the two, as in the reference.
 */
import type { UnpackedBlocks } from './block-codec.ts'
import { floatTable } from './small-floats.ts'

/** 16 bytes of scale (low nibble) and minimum (high nibble), 64 bytes of 2-bit quants, float16 factors of scales and minima; quants 0..3. */
export function unpackQ2K(bytes: Uint8Array, start: number, blocks: number, { quants, scales, minima }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start; block < blocks; block++, at += 84) {
    const scale = half[(bytes[at + 80] ?? 0) | ((bytes[at + 81] ?? 0) << 8)] ?? 0
    const minimum = half[(bytes[at + 82] ?? 0) | ((bytes[at + 83] ?? 0) << 8)] ?? 0
    for (let group = 0; group < 16; group++) {
      const pair = bytes[at + group] ?? 0
      scales[block * 16 + group] = scale * (pair & 15)
      minima[block * 16 + group] = -(minimum * (pair >> 4))
    }
    unpackTwoBits(bytes, at + 16, quants, block * 256)
  }
}

/** 32 bytes of third bits, 64 bytes of 2-bit quants, 12 bytes of 6-bit scales, a float16 factor; quants -4..3 (a third bit of 0 takes 4 off). */
export function unpackQ3K(bytes: Uint8Array, start: number, blocks: number, { quants, scales }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start; block < blocks; block++, at += 110) {
    const factor = half[(bytes[at + 108] ?? 0) | ((bytes[at + 109] ?? 0) << 8)] ?? 0
    for (let group = 0; group < 16; group++) {
      const low = ((bytes[at + 96 + (group & 7)] ?? 0) >> (group < 8 ? 0 : 4)) & 15
      const high = ((bytes[at + 104 + (group & 3)] ?? 0) >> (2 * (group >> 2))) & 3
      scales[block * 16 + group] = factor * ((low | (high << 4)) - 32)
    }
    const to = block * 256
    unpackTwoBits(bytes, at + 32, quants, to)
    for (let j = 0; j < 256; j++) {
      const third = ((bytes[at + (j & 31)] ?? 0) >> (j >> 5)) & 1
      quants[to + j] = (quants[to + j] ?? 0) - 4 + 4 * third
    }
  }
}

/** float16 factors of scales and minima, 12 bytes of 6-bit scales and minima, 128 bytes of nibbles; quants 0..15. */
export function unpackQ4K(bytes: Uint8Array, start: number, blocks: number, { quants, scales, minima }: UnpackedBlocks): void {
  for (let block = 0, at = start; block < blocks; block++, at += 144) {
    unpackSixBitScales(bytes, at, scales, minima, block * 8)
    unpackNibbles(bytes, at + 16, quants, block * 256)
  }
}

/** As Q4_K, with 32 bytes of fifth bits before the nibbles; quants 0..31. */
export function unpackQ5K(bytes: Uint8Array, start: number, blocks: number, { quants, scales, minima }: UnpackedBlocks): void {
  for (let block = 0, at = start; block < blocks; block++, at += 176) {
    const to = block * 256
    unpackSixBitScales(bytes, at, scales, minima, block * 8)
    unpackNibbles(bytes, at + 48, quants, to)
    for (let j = 0; j < 256; j++) {
      const fifth = ((bytes[at + 16 + (j & 31)] ?? 0) >> (j >> 5)) & 1
      quants[to + j] = (quants[to + j] ?? 0) | (fifth << 4)
    }
  }
}

/** 128 bytes of low nibbles, 64 bytes of upper 2 bits, 16 signed scales, a float16 factor; quants -32..31. */
export function unpackQ6K(bytes: Uint8Array, start: number, blocks: number, { quants, scales }: UnpackedBlocks): void {
  const half = floatTable('F16')
  for (let block = 0, at = start; block < blocks; block++, at += 210) {
    const factor = half[(bytes[at + 208] ?? 0) | ((bytes[at + 209] ?? 0) << 8)] ?? 0
    for (let group = 0; group < 16; group++) scales[block * 16 + group] = factor * (((bytes[at + 192 + group] ?? 0) << 24) >> 24)
    for (let part = 0; part < 2; part++) {
      const low = at + 64 * part
      const high = at + 128 + 32 * part
      const to = block * 256 + 128 * part
      for (let j = 0; j < 32; j++) {
        const first = bytes[low + j] ?? 0
        const second = bytes[low + 32 + j] ?? 0
        const upper = bytes[high + j] ?? 0
        quants[to + j] = ((first & 15) | ((upper & 3) << 4)) - 32
        quants[to + 32 + j] = ((second & 15) | (((upper >> 2) & 3) << 4)) - 32
        quants[to + 64 + j] = ((first >> 4) | (((upper >> 4) & 3) << 4)) - 32
        quants[to + 96 + j] = ((second >> 4) | ((upper >> 6) << 4)) - 32
      }
    }
  }
}

/** float32 scale, 256 signed bytes, 16 sums of groups (which only products with activations use). One scale for all: given for both halves. */
export function unpackQ8K(bytes: Uint8Array, start: number, blocks: number, { quants, scales }: UnpackedBlocks): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let block = 0, at = start; block < blocks; block++, at += 292) {
    const scale = view.getFloat32(at, true)
    scales[2 * block] = scale
    scales[2 * block + 1] = scale
    for (let j = 0; j < 256; j++) quants[block * 256 + j] = bytes[at + 4 + j] ?? 0
  }
}

/** 64 bytes: each holds elements j, j + 32, j + 64, j + 96 of its half. */
function unpackTwoBits(bytes: Uint8Array, at: number, quants: Int8Array, to: number): void {
  for (let j = 0; j < 64; j++) {
    const four = bytes[at + j] ?? 0
    const element = to + ((j >> 5) << 7) + (j & 31)
    quants[element] = four & 3
    quants[element + 32] = (four >> 2) & 3
    quants[element + 64] = (four >> 4) & 3
    quants[element + 96] = four >> 6
  }
}

/** 128 bytes: each group of 32 holds the low nibbles of 32 elements, then the high nibbles of the next 32. */
function unpackNibbles(bytes: Uint8Array, at: number, quants: Int8Array, to: number): void {
  for (let j = 0; j < 128; j++) {
    const pair = bytes[at + j] ?? 0
    const element = to + ((j >> 5) << 6) + (j & 31)
    quants[element] = pair & 15
    quants[element + 32] = pair >> 4
  }
}

/** Two float16 factors, then 8 scales and 8 minima of 6 bits in 12 bytes: the last four of each have their upper 2 bits in the first bytes. */
function unpackSixBitScales(bytes: Uint8Array, at: number, scales: Float32Array, minima: Float32Array, to: number): void {
  const half = floatTable('F16')
  const scale = half[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
  const minimum = half[(bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)] ?? 0
  for (let group = 0; group < 4; group++) {
    const first = bytes[at + 4 + group] ?? 0
    const second = bytes[at + 8 + group] ?? 0
    const rest = bytes[at + 12 + group] ?? 0
    scales[to + group] = scale * (first & 63)
    minima[to + group] = -(minimum * (second & 63))
    scales[to + 4 + group] = scale * ((rest & 15) | ((first >> 6) << 4))
    minima[to + 4 + group] = -(minimum * ((rest >> 4) | ((second >> 6) << 4)))
  }
}
