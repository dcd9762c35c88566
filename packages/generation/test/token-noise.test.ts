import { expect, test } from 'vitest'
import { gumbelNoise, highBits, noiseKey } from '../src/token-noise.ts'
import { chiSquare, chiSquareLimit } from './slow/chi-square.ts'

const uniform = (cells: number) => new Array<number>(cells).fill(1 / cells)

test('the noise of a token depends on seed, sequence, position and token alone', () => {
  const once = gumbelNoise(noiseKey(7, 3, 100), 42)
  expect(gumbelNoise(noiseKey(7, 3, 100), 42)).toBe(once)
  for (const other of [noiseKey(8, 3, 100), noiseKey(7, 4, 100), noiseKey(7, 3, 101)]) expect(gumbelNoise(other, 42)).not.toBe(once)
  expect(gumbelNoise(noiseKey(7, 3, 100), 43)).not.toBe(once)
})

test('both words of the key change the noise', () => {
  const once = highBits({ first: 11, second: 12 }, 5)
  expect(highBits({ first: 12, second: 12 }, 5)).not.toBe(once)
  expect(highBits({ first: 11, second: 13 }, 5)).not.toBe(once)
})

test('seeds that differ only above 32 bits give other noise', () => {
  expect(gumbelNoise(noiseKey(5, 0, 0), 0)).not.toBe(gumbelNoise(noiseKey(5 + 2 ** 32, 0, 0), 0))
})

test('noise over the tokens of a position follows the Gumbel distribution (chi-square, error rate 1e-4)', () => {
  // e^-e^-g is uniform when g is standard Gumbel.
  const counts = new Array<number>(64).fill(0)
  const key = noiseKey(1, 0, 17)
  for (let token = 0; token < 64_000; token++) {
    const cell = Math.floor(Math.exp(-Math.exp(-gumbelNoise(key, token))) * 64)
    counts[cell] = (counts[cell] ?? 0) + 1
  }
  expect(chiSquare(counts, uniform(64))).toBeLessThan(chiSquareLimit(63))
})

test('noise of one token over positions follows the Gumbel distribution (chi-square, error rate 1e-4)', () => {
  const counts = new Array<number>(64).fill(0)
  for (let position = 0; position < 64_000; position++) {
    const cell = Math.floor(Math.exp(-Math.exp(-gumbelNoise(noiseKey(2, 0, position), 5))) * 64)
    counts[cell] = (counts[cell] ?? 0) + 1
  }
  expect(chiSquare(counts, uniform(64))).toBeLessThan(chiSquareLimit(63))
})

test.each([
  ['neighbouring tokens', (i: number) => [highBits(noiseKey(3, 0, i >>> 8), i & 255), highBits(noiseKey(3, 0, i >>> 8), (i & 255) + 1)]],
  ['neighbouring positions', (i: number) => [highBits(noiseKey(4, 0, i), 9), highBits(noiseKey(4, 0, i + 1), 9)]],
  ['neighbouring seeds', (i: number) => [highBits(noiseKey(i, 0, 0), 9), highBits(noiseKey(i + 1, 0, 0), 9)]],
  ['neighbouring sequences', (i: number) => [highBits(noiseKey(6, i, 0), 9), highBits(noiseKey(6, i + 1, 0), 9)]],
])('%s are independent (chi-square of pairs, error rate 1e-4)', (_, pair) => {
  const counts = new Array<number>(256).fill(0)
  for (let i = 0; i < 51_200; i++) {
    const [a = 0, b = 0] = pair(i)
    const cell = (a >>> 28) * 16 + (b >>> 28)
    counts[cell] = (counts[cell] ?? 0) + 1
  }
  expect(chiSquare(counts, uniform(256))).toBeLessThan(chiSquareLimit(255))
})
