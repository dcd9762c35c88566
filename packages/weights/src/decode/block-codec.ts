/**
 * GGUF's block encodings taken apart: every element becomes a small integer, every group of 16 to 128 elements a scale and, in some encodings, a
 * minimum. An element is `scale * quant + minimum`, products and sums rounded to float32 in the order of the reference (the Python package `gguf`).
 * De-quantising and lossless carrying into the packed formats of linear layers both stand on this, so the bits are taken apart in one place.
 *
 * Indexed reads carry `?? 0` because the compiler asks for it; the engine removes it from typed-array loops (measured: no difference).
 */
import type { TensorEncoding } from '../weight-store.ts'
import { unpackQ2K, unpackQ3K, unpackQ4K, unpackQ5K, unpackQ6K, unpackQ8K } from './k-blocks.ts'
import { unpackMxfp4 } from './microscaled-blocks.ts'
import { unpackQ4_0, unpackQ4_1, unpackQ5_0, unpackQ5_1, unpackQ8_0, unpackQ8_1 } from './plain-blocks.ts'

/** Where the parts of unpacked blocks go: written from index 0. */
export interface UnpackedBlocks {
  /** One per element. */
  readonly quants: Int8Array
  /** One per group. */
  readonly scales: Float32Array
  /** One per group; only written by encodings that have minima. */
  readonly minima: Float32Array
}

export type Unpack = (bytes: Uint8Array, start: number, blocks: number, into: UnpackedBlocks) => void

export interface BlockCodec {
  /** Elements that share a scale. */
  readonly groupSize: 16 | 32 | 128
  readonly hasMinima: boolean
  /** Bits that the quants need. */
  readonly bits: 4 | 8
  /** Quants run from 0 to 15, all that 4 bits hold; those of other 4-bit encodings lie within -8..7. */
  readonly fillsNibble: boolean
  readonly unpack: Unpack
}

const CODECS: ReadonlyMap<TensorEncoding, BlockCodec> = new Map<TensorEncoding, BlockCodec>([
  ['Q4_0', { groupSize: 32, hasMinima: false, bits: 4, fillsNibble: false, unpack: unpackQ4_0 }],
  ['Q4_1', { groupSize: 32, hasMinima: true, bits: 4, fillsNibble: true, unpack: unpackQ4_1 }],
  ['Q5_0', { groupSize: 32, hasMinima: false, bits: 8, fillsNibble: false, unpack: unpackQ5_0 }],
  ['Q5_1', { groupSize: 32, hasMinima: true, bits: 8, fillsNibble: false, unpack: unpackQ5_1 }],
  ['Q8_0', { groupSize: 32, hasMinima: false, bits: 8, fillsNibble: false, unpack: unpackQ8_0 }],
  ['Q8_1', { groupSize: 32, hasMinima: false, bits: 8, fillsNibble: false, unpack: unpackQ8_1 }],
  ['Q2_K', { groupSize: 16, hasMinima: true, bits: 4, fillsNibble: false, unpack: unpackQ2K }],
  ['Q3_K', { groupSize: 16, hasMinima: false, bits: 4, fillsNibble: false, unpack: unpackQ3K }],
  ['Q4_K', { groupSize: 32, hasMinima: true, bits: 4, fillsNibble: true, unpack: unpackQ4K }],
  ['Q5_K', { groupSize: 32, hasMinima: true, bits: 8, fillsNibble: false, unpack: unpackQ5K }],
  ['Q6_K', { groupSize: 16, hasMinima: false, bits: 8, fillsNibble: false, unpack: unpackQ6K }],
  ['Q8_K', { groupSize: 128, hasMinima: false, bits: 8, fillsNibble: false, unpack: unpackQ8K }],
  ['MXFP4', { groupSize: 32, hasMinima: false, bits: 8, fillsNibble: false, unpack: unpackMxfp4 }],
])

/** How to take an encoding apart; undefined when it has no blocks. */
export function blockCodec(encoding: TensorEncoding): BlockCodec | undefined {
  return CODECS.get(encoding)
}

/** Room for so many elements of an encoding. */
export function roomFor(codec: BlockCodec, elements: number): UnpackedBlocks {
  const groups = elements / codec.groupSize
  return { quants: new Int8Array(elements), scales: new Float32Array(groups), minima: new Float32Array(codec.hasMinima ? groups : 0) }
}
