import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { createRowScan, exponential, exponentialBound, logSumExp, NEGLIGIBLE, scanRow } from '../src/logits-row.ts'

const randomRow = (length: number, spread: number, seed = 1) =>
  Float32Array.from(randomStream({ seed }).fillUniform(new Float64Array(length)), (u) => (u - 0.5) * spread)

function scanned(row: Float32Array) {
  const scan = createRowScan(row.length)
  scanRow(row, scan)
  return scan
}

test('the exponential is within 1e-14 of Math.exp relatively, and its bound is above it by at most e^(1/64)', () => {
  for (let distance = 0; distance < NEGLIGIBLE; distance += 0.00317) {
    const expected = Math.exp(-distance)
    expect(Math.abs(exponential(distance) / expected - 1)).toBeLessThan(1e-14)
    expect(exponentialBound(distance)).toBeGreaterThanOrEqual(expected)
    expect(exponentialBound(distance)).toBeLessThanOrEqual(expected * Math.exp(1 / 64) * (1 + 1e-12))
  }
})

test('logSumExp is the logarithm of the plain sum', () => {
  for (const spread of [0, 1, 30, 400]) {
    const row = randomRow(1000, spread)
    const max = Math.max(...row)
    const expected = max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0))
    expect(Math.abs(logSumExp(row, max) - expected)).toBeLessThan(1e-12)
  }
})

test('the best token is the lowest id among the largest logits, also across blocks', () => {
  const row = new Float32Array(200).fill(-1)
  row[70] = 5
  row[71] = 5
  row[199] = 5
  expect(scanned(row)).toMatchObject({ best: 70, max: 5, broken: -1 })
})

test('block maxima are those of each 64 logits, the last block shorter', () => {
  const row = randomRow(150, 10)
  const expected = [row.slice(0, 64), row.slice(64, 128), row.slice(128)].map((block) => Math.max(...block))
  expect(Array.from(scanned(row).blockMaxima)).toEqual(expected)
})

test.each([
  ['NaN in the first place', 0, Number.NaN],
  ['NaN after a larger logit', 100, Number.NaN],
  ['+Infinity', 77, Number.POSITIVE_INFINITY],
])('%s is found with its index', (_, index, value) => {
  const row = randomRow(128, 10)
  row[index] = value
  expect(scanned(row)).toMatchObject({ best: -1, broken: index })
})

test('a row of nothing but -Infinity has no best token', () => {
  expect(scanned(new Float32Array(70).fill(Number.NEGATIVE_INFINITY))).toMatchObject({ best: -1, broken: -1 })
})
