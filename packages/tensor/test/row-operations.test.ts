import { argmax, logSoftmax, logSumExp, softmax, topK } from '@foretoken/tensor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const finiteRow = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.float({ min: -200, max: 200, noNaN: true }) },
      { weight: 1, arbitrary: fc.constant(Number.NEGATIVE_INFINITY) },
    ),
    {
      minLength: 1,
      maxLength: 70,
    },
  )
  .filter((values) => values.some(Number.isFinite))
  .map((values) => Float32Array.from(values))

/** The definition, in float64, after subtracting the maximum. */
function definition(row: Float32Array): { readonly probabilities: number[]; readonly logSum: number } {
  const greatest = Math.max(...row)
  const terms = Array.from(row, (value) => Math.exp(value - greatest))
  const sum = terms.reduce((a, b) => a + b, 0)
  return { probabilities: terms.map((term) => term / sum), logSum: greatest + Math.log(sum) }
}

describe('softmax, logSoftmax, logSumExp', () => {
  test('follow their definitions, masked scores included', () => {
    fc.assert(
      fc.property(finiteRow, (row) => {
        const { probabilities, logSum } = definition(row)
        const found = softmax(row)
        const logs = logSoftmax(row)
        expect(Math.abs(logSumExp(row) - logSum)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(logSum)))
        for (let i = 0; i < row.length; i++) {
          const p = probabilities[i] ?? 0
          expect(Math.abs((found[i] ?? 0) - p)).toBeLessThanOrEqual(2e-7 * p + 2 ** -149)
          const log = (row[i] ?? 0) - logSum
          if (log === Number.NEGATIVE_INFINITY) expect(logs[i]).toBe(log)
          else expect(Math.abs((logs[i] ?? 0) - log)).toBeLessThanOrEqual(1e-7 * Math.abs(log) + 1e-12)
        }
      }),
    )
  })

  test('scores of 3e38 neither overflow nor vanish', () => {
    expect(Array.from(softmax(Float32Array.of(3e38, 3e38, -3e38)))).toEqual([0.5, 0.5, 0])
    expect(logSumExp(Float32Array.of(-3e38, -3e38))).toBe(Math.fround(-3e38))
  })

  test('write into the row itself, or into a view of a larger array, and leave the rest alone', () => {
    const row = Float32Array.of(9, 0, 0, 9)
    softmax(row.subarray(1, 3), row.subarray(1, 3))
    expect(Array.from(row)).toEqual([9, 0.5, 0.5, 9])
    const logs = new Float32Array(4)
    expect(logSoftmax(row.subarray(1, 3), logs.subarray(1, 3)).buffer).toBe(logs.buffer)
    expect(Array.from(logs)).toEqual([0, Math.fround(-Math.LN2), Math.fround(-Math.LN2), 0])
  })

  test.each([
    ['no score', [], /empty/],
    ['only -Infinity', [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], /only -Infinity/],
    ['NaN among the scores', [1, Number.NaN, 2], /NaN/],
    ['+Infinity among the scores', [1, Number.POSITIVE_INFINITY], /\+Infinity/],
  ])('with %s there is no distribution, and the error says why', (_, values, message) => {
    const row = Float32Array.from(values)
    expect(() => softmax(row)).toThrow(expect.objectContaining({ code: 'argument', message: expect.stringMatching(message) }))
    expect(() => logSoftmax(row)).toThrow(expect.objectContaining({ code: 'argument', message: expect.stringMatching(message) }))
  })

  test('logSumExp takes the values of the extended line', () => {
    const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number
    expect(logSumExp(new Float32Array(0))).toBe(NEGATIVE_INFINITY)
    expect(logSumExp(Float32Array.of(NEGATIVE_INFINITY))).toBe(NEGATIVE_INFINITY)
    expect(logSumExp(Float32Array.of(1, POSITIVE_INFINITY, NEGATIVE_INFINITY))).toBe(POSITIVE_INFINITY)
    expect(logSumExp(Float32Array.of(1, Number.NaN, POSITIVE_INFINITY))).toBeNaN()
    expect(logSumExp(Float32Array.of(Number.NaN))).toBeNaN()
  })

  test('a target of another length is refused', () => {
    expect(() => softmax(new Float32Array(3), new Float32Array(2))).toThrow(expect.objectContaining({ code: 'shape' }))
  })
})

// Few distinct values, so that ties are the rule.
const tiedRow = fc.array(fc.constantFrom(0, -0, 1, 2, -1, Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY), {
  maxLength: 60,
})

/** Indices by score, then by index, without NaN: a full sort. */
function ranking(values: readonly number[]): number[] {
  return values
    .map((_, index) => index)
    .filter((index) => !Number.isNaN(values[index]))
    .sort((a, b) => {
      const [x = 0, y = 0] = [values[a], values[b]]
      return x === y ? a - b : x > y ? -1 : 1
    })
}

describe('topK and argmax', () => {
  test.each([
    ['rows full of ties', tiedRow],
    ['rows of any numbers', fc.array(fc.float(), { maxLength: 300 })],
  ])('choose what a full sort chooses, the lowest index among equals, never NaN: %s', (_, rows) => {
    fc.assert(
      fc.property(rows, fc.nat(70), (values, k) => {
        const row = Float32Array.from(values)
        const expected = ranking(values).slice(0, k)
        const found = topK(row, k)
        expect(Array.from(found.indices)).toEqual(expected)
        expect(found.values).toEqual(Float32Array.from(expected, (index) => values[index] ?? 0))
        expect(argmax(row)).toBe(ranking(values)[0] ?? -1)
      }),
      { numRuns: 500 },
    )
  })

  test('ascending and descending rows of 1,000 are chosen from correctly', () => {
    const row = Float32Array.from({ length: 1000 }, (_, i) => i)
    expect(Array.from(topK(row, 5).indices)).toEqual([999, 998, 997, 996, 995])
    expect(Array.from(topK(row.toReversed(), 5).indices)).toEqual([0, 1, 2, 3, 4])
    expect(topK(row, 2000).indices).toHaveLength(1000)
  })

  test.each([-1, 1.5, Number.NaN])('k = %d is refused', (k) => {
    expect(() => topK(new Float32Array(3), k)).toThrow(expect.objectContaining({ code: 'argument' }))
  })
})
