import {
  addDims,
  canonicalDim,
  type Dim,
  divideDims,
  evaluateDim,
  multiplyDims,
  sameDim,
  sameDims,
  subtractDims,
  symbolsOf,
} from '@foretoken/graph'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isDim, leastValue, provablyDifferent } from '../src/dimension.ts'

test('sums keep the order of their terms, and equality does not depend on it', () => {
  expect(addDims('tail', 'steps')).toBe('tail+steps')
  expect(addDims('steps', 'steps', 'steps')).toBe('3*steps')
  expect(addDims(1, 'past', 2)).toBe('past+3')
  expect(sameDim('tail+steps', 'steps+tail')).toBe(true)
  expect(sameDims(['a*b', 2], ['b*a', 2])).toBe(true)
  expect(sameDim('a', 'b')).toBe(false)
})

test('products are multiplied out', () => {
  expect(multiplyDims('past+steps', 64)).toBe('64*past+64*steps')
  expect(multiplyDims('b', 'a', 2)).toBe('2*a*b')
  expect(multiplyDims('past', 0)).toBe(0)
  expect(multiplyDims()).toBe(1)
})

test('division is exact or not at all', () => {
  expect(divideDims('64*past+64*steps', 64)).toBe('past+steps')
  expect(divideDims('64*past+64*steps', 'past+steps')).toBe(64)
  expect(divideDims(multiplyDims('a+b', 'c+2'), 'c+2')).toBe('a+b')
  expect(divideDims('past+1', 2)).toBeUndefined()
  expect(divideDims('past', 'steps')).toBeUndefined()
  expect(divideDims(7, 2)).toBeUndefined()
  expect(divideDims('past', 0)).toBeUndefined()
})

test('what cancels is gone', () => {
  expect(subtractDims('past+steps', 'past')).toBe('steps')
  expect(subtractDims('past', 'past')).toBe(0)
  expect(subtractDims('past', 1)).toBe('past-1')
})

test('different for every positive size, or not known to be', () => {
  expect(provablyDifferent('8*steps', '9*steps')).toBe(true)
  expect(provablyDifferent('past+1', 'past')).toBe(true)
  expect(provablyDifferent('past', 'steps')).toBe(false)
  expect(provablyDifferent('past', 5)).toBe(false)
  expect(provablyDifferent(3, 4)).toBe(true)
})

test('the least value is that of symbols that are 0, where nothing is taken away', () => {
  expect(leastValue('past+3')).toBe(3)
  expect(leastValue('past-1')).toBeUndefined()
})

test('texts that are no dimensions are refused', () => {
  for (const wrong of ['', '+', 'a b+', '3a', 'a**b', 'a-', -1, 1.5, Number.NaN]) expect(isDim(wrong), `${wrong}`).toBe(false)
  expect(() => canonicalDim('a//')).not.toThrow()
  expect(() => canonicalDim('(a+b)')).toThrow('no dimension')
  expect(canonicalDim(' steps + tail*2 ')).toBe('steps+2*tail')
})

const symbol = fc.constantFrom('a', 'b', 'c')
const expression: fc.Arbitrary<Dim> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.array(symbol, { maxLength: 2 })), { minLength: 1, maxLength: 3 })
  .map((terms) => addDims(...terms.map(([factor, symbols]) => multiplyDims(factor, ...symbols))))
const values = new Map([
  ['a', 3],
  ['b', 5],
  ['c', 7],
])

test('arithmetic over symbols is arithmetic over their numbers', () => {
  fc.assert(
    fc.property(expression, expression, (x, y) => {
      const [left = 0, right = 0] = [evaluateDim(x, values), evaluateDim(y, values)]
      expect(evaluateDim(addDims(x, y), values)).toBe(left + right)
      expect(evaluateDim(multiplyDims(x, y), values)).toBe(left * right)
      const quotient = divideDims(multiplyDims(x, y), y)
      expect(quotient === undefined ? undefined : evaluateDim(quotient, values)).toBe(left)
      expect(sameDim(addDims(x, y), addDims(y, x))).toBe(true)
      expect(canonicalDim(addDims(x, y))).toEqual(addDims(x, y))
      expect(symbolsOf(x).every((name) => values.has(name))).toBe(true)
    }),
  )
})
