/**
 * MXFP4 (OCP microscaling): 32 elements of four bits (E2M1) that share an exponent (E8M0). Their magnitudes are halves of 0, 1, 2, 3, 4, 6, 8
 * and 12, so twice an element is a small integer and half the exponent's power a scale: 8-bit blocks carry them without loss.
 * In ggml's layout the exponent comes first, then low nibbles for elements 0 to 15 and high ones for 16 to 31.
 */
import type { UnpackedBlocks } from './block-codec.ts'

/** Bytes of a block. */
export const MXFP4_BYTES = 17

const TWICE_E2M1 = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)

/** Quants -12..12. The exponent that the OCP format reserves for NaN is read as ggml reads it, as a power like the others. */
export function unpackMxfp4(bytes: Uint8Array, start: number, blocks: number, { quants, scales }: UnpackedBlocks): void {
  for (let block = 0, at = start, to = 0; block < blocks; block++, at += MXFP4_BYTES, to += 32) {
    scales[block] = 2 ** ((bytes[at] ?? 0) - 128)
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 1 + j] ?? 0
      quants[to + j] = TWICE_E2M1[pair & 15] ?? 0
      quants[to + 16 + j] = TWICE_E2M1[pair >> 4] ?? 0
    }
  }
}
