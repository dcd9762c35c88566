import { float16FromNumber } from '@foretoken/tensor'
import type { TensorEncoding } from '@foretoken/weights'
import { randomBytes, randomNormal } from './random-bytes.ts'
import { HALF_PLACES, SLOW_BLOCKS } from './slow-blocks.ts'

/** Blocks of random bits with factors of sensible size: every quant, scale and minimum occurs. */
export function randomBlocks(encoding: TensorEncoding, blocks: number, seed: number): Uint8Array {
  const size = SLOW_BLOCKS.find((block) => block.encoding === encoding)?.bytes ?? 0
  const bytes = randomBytes(blocks * size, seed)
  const factors = randomNormal(2 * blocks, seed + 1, 0.01)
  const view = new DataView(bytes.buffer)
  for (let block = 0; block < blocks; block++) {
    if (encoding === 'MXFP4') view.setUint8(block * size, 112 + (block % 16))
    if (encoding === 'Q8_K') view.setFloat32(block * size, factors[block] ?? 0, true)
    for (const [index, place] of (HALF_PLACES[encoding] ?? []).entries()) {
      view.setUint16(block * size + place, float16FromNumber(factors[2 * block + index] ?? 0), true)
    }
  }
  return bytes
}
