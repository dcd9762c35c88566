import { fillGumbel, randomAt, randomStream } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { normalQuantile } from '../src/normal-quantile.ts'
import reference from './fixtures/random.json' with { type: 'json' }

/** Chi-square of counts against expected counts. */
function chiSquare(counts: ArrayLike<number>, expected: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < counts.length; i++) {
    const e = expected[i] ?? 0
    sum += ((counts[i] ?? 0) - e) ** 2 / e
  }
  return sum
}

describe.each(reference.streams)('seed $seed, sequence $sequence, position $position, lane $lane', (expected) => {
  const { sequence, position, lane, indices } = expected
  const stream = randomStream({ seed: BigInt(expected.seed), sequence, position, lane })

  test('bits and uniform numbers are those of whole-number arithmetic', () => {
    expect(indices.map((i) => stream.bits(i))).toEqual(expected.bits)
    expect(indices.map((i) => stream.uniform32(i) * 2 ** 32)).toEqual(expected.bits)
    expect(indices.map((i) => stream.uniform(i))).toEqual(expected.uniform)
    expect(indices.map((i) => randomAt(BigInt(expected.seed), sequence, position, i, lane))).toEqual(expected.uniform)
  })

  test('Gumbel noise is that of 50-digit arithmetic, to the bit in float32', () => {
    for (const [n, index] of indices.entries()) {
      expect(Math.abs(stream.gumbel(index) - (expected.gumbel[n] ?? 0))).toBeLessThan(2e-15)
      const bits = new Uint32Array(Float32Array.of(stream.gumbel(index)).buffer)[0]
      expect(bits).toBe(expected.gumbelFloat32Bits[n])
    }
  })

  test('normal numbers are those of another implementation', () => {
    for (const [n, index] of indices.entries()) expect(Math.abs(stream.normal(index) - (expected.normal[n] ?? 0))).toBeLessThan(4e-15)
  })
})

test('the normal quantile is right from one end to the other', () => {
  for (const [p = 0, x = 0] of reference.quantiles) expect(Math.abs(normalQuantile(p) - x)).toBeLessThan(4e-15 * Math.max(1, Math.abs(x)))
})

test('filling gives the same numbers as asking one by one, at any length', () => {
  const stream = randomStream({ seed: 7, sequence: 1, position: 2, lane: 3 })
  for (const length of [0, 1, 3, 4, 5, 1027]) {
    expect(stream.fillGumbel(new Float32Array(length))).toEqual(Float32Array.from({ length }, (_, i) => stream.gumbel(i)))
    expect(stream.fillUniform(new Float64Array(length))).toEqual(Float64Array.from({ length }, (_, i) => stream.uniform(i)))
    expect(stream.fillNormal(new Float32Array(length))).toEqual(Float32Array.from({ length }, (_, i) => stream.normal(i)))
  }
  expect(fillGumbel(7, 1, 2, new Float32Array(9))).toEqual(
    randomStream({ seed: 7, sequence: 1, position: 2 }).fillGumbel(new Float32Array(9)),
  )
})

test('another seed, sequence, position or lane gives other numbers', () => {
  const address = { seed: 1, sequence: 0, position: 0, lane: 0 }
  const seen = new Set([randomStream(address).bits(0)])
  for (const changed of [{ seed: 2 }, { seed: 2 ** 32 + 1 }, { seed: 1n << 63n }, { sequence: 1 }, { position: 1 }, { lane: 1 }]) {
    seen.add(randomStream({ ...address, ...changed }).bits(0))
  }
  expect(seen.size).toBe(7)
})

describe('distributions (fixed seeds; each test would fail for one seed in 10,000)', () => {
  test('the argmax of log-probabilities plus Gumbel noise is a sample of them', () => {
    const probabilities = [0.5, 0.25, 0.125, 0.1, 0.02, 0.005]
    const draws = 20_000
    const counts = new Float64Array(probabilities.length)
    const noise = new Float32Array(probabilities.length)
    for (let position = 0; position < draws; position++) {
      fillGumbel(2024, 0, position, noise)
      let best = 0
      const score = (i: number) => Math.log(probabilities[i] ?? 0) + (noise[i] ?? 0)
      for (let i = 1; i < noise.length; i++) if (score(i) > score(best)) best = i
      counts[best] = (counts[best] ?? 0) + 1
    }
    // 5 degrees of freedom, p = 1e-4
    expect(
      chiSquare(
        counts,
        probabilities.map((p) => p * draws),
      ),
    ).toBeLessThan(25.74)
  })

  test('whole numbers below n are equally likely, also when n does not divide 2^32', () => {
    const n = 3 * 2 ** 30 // a plain remainder would draw the lowest quarter twice as often as the rest
    const draws = 30_000
    const counts = new Float64Array(3)
    const stream = randomStream({ seed: 5 })
    for (let i = 0; i < draws; i++) {
      const third = Math.floor(stream.below(n, i) / 2 ** 30)
      counts[third] = (counts[third] ?? 0) + 1
    }
    // 2 degrees of freedom, p = 1e-4
    expect(chiSquare(counts, [draws / 3, draws / 3, draws / 3])).toBeLessThan(18.42)
  })

  test('the 64 middle intervals of the normal distribution are equally often hit', () => {
    const draws = 64_000
    const counts = new Float64Array(64)
    const values = randomStream({ seed: 11 }).fillNormal(new Float32Array(draws))
    const borders = Array.from({ length: 63 }, (_, i) => normalQuantile((i + 1) / 64))
    for (const value of values) {
      const bin = borders.filter((border) => border < value).length
      counts[bin] = (counts[bin] ?? 0) + 1
    }
    // 63 degrees of freedom, p = 1e-4
    expect(chiSquare(counts, new Float64Array(64).fill(1000))).toBeLessThan(113.5)
  })
})

test('below(1) is 0 and below(2^32) is the bits', () => {
  const stream = randomStream({ seed: 3 })
  for (let i = 0; i < 50; i++) {
    expect(stream.below(1, i)).toBe(0)
    expect(stream.below(2 ** 32, i)).toBe(stream.bits(i))
  }
})

test.each([
  ['a negative seed', () => randomStream({ seed: -1 })],
  ['a fractional seed', () => randomStream({ seed: 0.5 })],
  ['a seed beyond 64 bits', () => randomStream({ seed: 1n << 64n })],
  ['a number beyond 2^53 as seed', () => randomStream({ seed: 2 ** 60 })],
  ['a position beyond 32 bits', () => randomStream({ seed: 1, position: 2 ** 32 })],
  ['a negative sequence', () => randomStream({ seed: 1, sequence: -1 })],
  ['a lane beyond 16 bits', () => randomStream({ seed: 1, lane: 2 ** 16 })],
  ['a negative index', () => randomStream({ seed: 1 }).bits(-1)],
  ['an n of zero', () => randomStream({ seed: 1 }).below(0, 0)],
  ['an n beyond 32 bits', () => randomStream({ seed: 1 }).below(2 ** 33, 0)],
])('%s is refused', (_, act) => {
  expect(act).toThrow(expect.objectContaining({ code: 'argument' }))
})
