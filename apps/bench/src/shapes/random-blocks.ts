/**
 * Random weights in GGUF's blocks of 32, without floats in between: any quants are a legal block, so they are drawn as bytes and only the scales are
 * computed. Values are spread evenly around zero, so that `inputs` of them keep the size of what they are multiplied with.
 */
import { float16FromNumber } from '@foretoken/tensor'
import type { WritableBlocks } from '@foretoken/weights'

/** Bytes of a block, where its quants begin, and the standard deviation of quants that are drawn evenly. */
const LAYOUTS: Readonly<Record<WritableBlocks, { readonly bytes: number; readonly quantsAt: number; readonly deviation: number }>> = {
  Q4_0: { bytes: 18, quantsAt: 2, deviation: 4.61 },
  Q4_1: { bytes: 20, quantsAt: 4, deviation: 4.61 },
  Q8_0: { bytes: 34, quantsAt: 2, deviation: 73.9 },
}

export function blockBytesOf(encoding: WritableBlocks, elements: number): number {
  return (elements / 32) * LAYOUTS[encoding].bytes
}

/**
 * Fills whole blocks of a weight.
 *
 * @param inputs  products that are added up for one output
 * @param seed    the same seed gives the same bytes
 */
export function fillRandomBlocks(into: Uint8Array, encoding: WritableBlocks, { inputs, seed }: { inputs: number; seed: number }): void {
  const { bytes, quantsAt, deviation } = LAYOUTS[encoding]
  fillRandomBytes(into, seed)
  const scale = 1 / (Math.sqrt(inputs) * deviation)
  const half = float16FromNumber(scale)
  const least = float16FromNumber(-7.5 * scale)
  for (let at = 0; at < into.length; at += bytes) {
    into[at] = half & 255
    into[at + 1] = half >> 8
    if (quantsAt === 2) continue
    into[at + 2] = least & 255
    into[at + 3] = least >> 8
  }
}

/** Xorshift (Marsaglia 2003), four bytes a step. */
function fillRandomBytes(into: Uint8Array, seed: number): void {
  let state = (seed + 1) | 0 || 1
  const words = new Uint32Array(into.buffer, into.byteOffset, into.byteLength >> 2)
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[at] = state
  }
  for (let at = words.byteLength; at < into.length; at++) into[at] = (state >>> (8 * (at & 3))) & 255
}
