import { decodeToFloat32 } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { blockBytesOf, fillRandomBlocks } from '../../src/shapes/random-blocks.ts'

for (const encoding of ['Q4_0', 'Q4_1', 'Q8_0'] as const) {
  const elements = 64 * 1024
  const draw = (seed: number) => {
    const bytes = new Uint8Array(blockBytesOf(encoding, elements))
    fillRandomBlocks(bytes, encoding, { inputs: 256, seed })
    return bytes
  }

  test(`${encoding}: 256 products of such weights keep the size of what they are multiplied with`, () => {
    const info = { name: 'random', file: 'none', encoding, shape: [elements], byteLength: draw(1).byteLength }
    const values = decodeToFloat32({ info, shape: [elements], bytes: draw(1) })
    const squares = values.reduce((sum, value) => sum + value * value, 0) / elements
    // the variance of evenly drawn quants has a standard error of 0.9 / sqrt(elements); the scale is rounded to half precision
    expect(256 * squares).toBeGreaterThan(0.97)
    expect(256 * squares).toBeLessThan(1.03)
  })

  test(`${encoding}: the same seed gives the same bytes, another one others`, () => {
    expect(draw(5)).toEqual(draw(5))
    expect(draw(5)).not.toEqual(draw(6))
  })
}
