import { packLinear } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { randomNormal } from '../builders/random-bytes.ts'
import { slowUnpack } from '../builders/slow-unpack.ts'

/** Relative root-mean-square error of 4-bit blocks when the extremes alone decide about scale and minimum: the plain method. */
function plainError(weights: Float32Array, blockSize: number, hasMinima: boolean): number {
  let error = 0
  for (let start = 0; start < weights.length; start += blockSize) {
    const block = [...weights.subarray(start, start + blockSize)]
    const extreme = block.reduce((found, value) => (Math.abs(value) > Math.abs(found) ? value : found), 0)
    const least = Math.min(...block)
    const [scale, origin] = hasMinima ? [(Math.max(...block) - least) / 15, least] : [extreme / -8, extreme]
    for (const value of block) {
      const quant = Math.min(15, Math.max(0, Math.round((value - origin) / scale)))
      error += (value - (origin + scale * quant)) ** 2
    }
  }
  return relative(error, weights)
}

function relative(squaredError: number, weights: Float32Array): number {
  return Math.sqrt(squaredError / weights.reduce((total, value) => total + value * value, 0))
}

test('searched scales and minima leave less error than the extremes alone, on normally distributed weights', () => {
  const weights = randomNormal(128 * 1024, 9, 0.03)
  for (const [blockSize, hasMinima, gain] of [
    [32, true, 0.94],
    [32, false, 0.955],
    [128, true, 0.945],
    [128, false, 0.95],
  ] as const) {
    const packed = packLinear(weights, { outputs: 128, inputs: 1024, format: { kind: 'blocks', bits: 4, blockSize, hasMinima } })
    const unpacked = slowUnpack(packed)
    const searched = relative(
      weights.reduce((total, value, index) => total + (value - (unpacked[index] ?? 0)) ** 2, 0),
      weights,
    )
    expect(searched / plainError(weights, blockSize, hasMinima)).toBeLessThan(gain)
  }
})
