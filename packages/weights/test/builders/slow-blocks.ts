/**
 * A second, slow implementation of GGUF's block encodings: one element at a time, each bit fetched by its number, from the structures in ggml's
 * `ggml-common.h`. Every operation is rounded to float32.
 */
import { numberFromFloat16 } from '@foretoken/tensor'
import type { TensorEncoding } from '@foretoken/weights'

const { fround } = Math

class Block {
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  half(at: number): number {
    return numberFromFloat16(this.#view.getUint16(at, true))
  }

  single(at: number): number {
    return this.#view.getFloat32(at, true)
  }

  signed(at: number): number {
    return this.#view.getInt8(at)
  }

  /** So many bits of the bytes from `at` on, beginning with bit number `first`. */
  bits(at: number, first: number, count: number): number {
    let value = 0
    for (let bit = 0; bit < count; bit++) {
      const place = first + bit
      value += ((this.#view.getUint8(at + Math.floor(place / 8)) >> (place % 8)) & 1) * 2 ** bit
    }
    return value
  }
}

/** Bit number of a 4-bit quant in Q4_0 and its kin: elements 0..15 are low nibbles, 16..31 high ones. */
function nibbleOf32(element: number): number {
  return element < 16 ? element * 8 : (element - 16) * 8 + 4
}

/** Bit number of a 4-bit quant in Q4_K and Q5_K: 64 elements in 32 bytes. */
function nibbleOf64(element: number): number {
  const run = Math.floor(element / 64)
  const inRun = element % 64
  return (run * 32 + (inRun % 32)) * 8 + (inRun < 32 ? 0 : 4)
}

/** Bit number of a 2-bit quant in Q2_K and Q3_K: 128 elements in 32 bytes. */
function pairOf128(element: number): number {
  const run = Math.floor(element / 128)
  const inRun = element % 128
  return (run * 32 + (inRun % 32)) * 8 + 2 * Math.floor(inRun / 32)
}

/** Scale and minimum of a group in Q4_K and Q5_K. */
function sixBitPair(block: Block, group: number): [number, number] {
  if (group < 4) return [block.bits(4 + group, 0, 6), block.bits(8 + group, 0, 6)]
  const scale = block.bits(8 + group, 0, 4) + 16 * block.bits(group, 6, 2)
  const minimum = block.bits(8 + group, 4, 4) + 16 * block.bits(4 + group, 6, 2)
  return [scale, minimum]
}

const ELEMENTS: Partial<Record<TensorEncoding, (block: Block, element: number) => number>> = {
  Q4_0: (block, i) => fround(block.half(0) * (block.bits(2, nibbleOf32(i), 4) - 8)),
  Q4_1: (block, i) => fround(fround(block.half(0) * block.bits(4, nibbleOf32(i), 4)) + block.half(2)),
  Q5_0: (block, i) => fround(block.half(0) * (block.bits(6, nibbleOf32(i), 4) + 16 * block.bits(2, i, 1) - 16)),
  Q5_1: (block, i) => fround(fround(block.half(0) * (block.bits(8, nibbleOf32(i), 4) + 16 * block.bits(4, i, 1))) + block.half(2)),
  Q8_0: (block, i) => fround(block.half(0) * block.signed(2 + i)),
  Q8_1: (block, i) => fround(block.half(0) * block.signed(4 + i)),
  Q2_K(block, i) {
    const group = Math.floor(i / 16)
    const scale = fround(block.half(80) * block.bits(group, 0, 4))
    const minimum = fround(block.half(82) * block.bits(group, 4, 4))
    return fround(fround(scale * block.bits(16, pairOf128(i), 2)) - minimum)
  },
  Q3_K(block, i) {
    const group = Math.floor(i / 16)
    const low = block.bits(96 + (group % 8), group < 8 ? 0 : 4, 4)
    const high = block.bits(104 + (group % 4), 2 * Math.floor(group / 4), 2)
    const scale = fround(block.half(108) * (low + 16 * high - 32))
    const third = block.bits(i % 32, Math.floor(i / 32), 1)
    return fround(scale * (block.bits(32, pairOf128(i), 2) - (third === 1 ? 0 : 4)))
  },
  Q4_K(block, i) {
    const [scale, minimum] = sixBitPair(block, Math.floor(i / 32))
    return fround(fround(fround(block.half(0) * scale) * block.bits(16, nibbleOf64(i), 4)) - fround(block.half(2) * minimum))
  },
  Q5_K(block, i) {
    const [scale, minimum] = sixBitPair(block, Math.floor(i / 32))
    const quant = block.bits(48, nibbleOf64(i), 4) + 16 * block.bits(16 + (i % 32), Math.floor(i / 32), 1)
    return fround(fround(fround(block.half(0) * scale) * quant) - fround(block.half(2) * minimum))
  },
  Q6_K(block, i) {
    const run = Math.floor(i / 128)
    const inRun = i % 128
    const low = block.bits(64 * run + (inRun % 64), inRun < 64 ? 0 : 4, 4)
    const high = block.bits(128 + 32 * run + (inRun % 32), 2 * Math.floor(inRun / 32), 2)
    return fround(fround(block.half(208) * block.signed(192 + Math.floor(i / 16))) * (low + 16 * high - 32))
  },
  Q8_K: (block, i) => fround(block.single(0) * block.signed(4 + i)),
  MXFP4(block, i) {
    const pattern = block.bits(1, nibbleOf32(i), 4)
    const magnitude = [0, 0.5, 1, 1.5, 2, 3, 4, 6][pattern % 8] ?? 0
    // zero has no sign here, and the exponent that stands for NaN in the OCP format is one like the others
    return magnitude === 0 ? 0 : fround((pattern < 8 ? magnitude : -magnitude) * 2 ** (block.bits(0, 0, 8) - 127))
  },
}

/** Elements and bytes of a block, and the elements of blocks that lie one after another. */
export const SLOW_BLOCKS: readonly { readonly encoding: TensorEncoding; readonly elements: number; readonly bytes: number }[] = [
  { encoding: 'Q4_0', elements: 32, bytes: 18 },
  { encoding: 'Q4_1', elements: 32, bytes: 20 },
  { encoding: 'Q5_0', elements: 32, bytes: 22 },
  { encoding: 'Q5_1', elements: 32, bytes: 24 },
  { encoding: 'Q8_0', elements: 32, bytes: 34 },
  { encoding: 'Q8_1', elements: 32, bytes: 36 },
  { encoding: 'Q2_K', elements: 256, bytes: 84 },
  { encoding: 'Q3_K', elements: 256, bytes: 110 },
  { encoding: 'Q4_K', elements: 256, bytes: 144 },
  { encoding: 'Q5_K', elements: 256, bytes: 176 },
  { encoding: 'Q6_K', elements: 256, bytes: 210 },
  { encoding: 'Q8_K', elements: 256, bytes: 292 },
  { encoding: 'MXFP4', elements: 32, bytes: 17 },
]

export function slowDecode(encoding: TensorEncoding, bytes: Uint8Array): Float32Array {
  const size = SLOW_BLOCKS.find((block) => block.encoding === encoding)
  const element = ELEMENTS[encoding]
  if (size === undefined || element === undefined) throw new TypeError(`no slow implementation of ${encoding}`)
  const blocks = bytes.byteLength / size.bytes
  const values = new Float32Array(blocks * size.elements)
  for (let index = 0; index < values.length; index++) {
    const start = Math.floor(index / size.elements) * size.bytes
    values[index] = element(new Block(bytes.subarray(start, start + size.bytes)), index % size.elements)
  }
  return values
}

/** Where the float16 factors of a block lie, so that random blocks can be given finite ones. */
export const HALF_PLACES: Partial<Record<TensorEncoding, readonly number[]>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q8_1: [0, 2],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
}
