import { expect, test } from 'vitest'
import { SHADES, shadeOf } from '../../src/lib/probability-shade.ts'
import { percentage, spoken, visible } from '../../src/lib/token-record.ts'

test.each([
  [0, '100 %'],
  [Math.log(0.9996), '100 %'],
  [Math.log(0.431), '43.1 %'],
  [Math.log(0.05), '5 %'],
  [Math.log(0.0012), '0.12 %'],
  [Math.log(0.00001), 'below 0.01 %'],
  [Number.NEGATIVE_INFINITY, 'below 0.01 %'],
])('%d is %s', (logProbability, text) => {
  expect(percentage(logProbability)).toBe(text)
})

test('white space and control characters can be seen, and are spoken', () => {
  expect(visible(' a\n\t\u0007')).toBe('␣a↵⇥\\x07')
  expect(visible('')).toBe('∅')
  expect([spoken(' the'), spoken('\n'), spoken('\n\n'), spoken('   '), spoken('')]).toEqual([
    'space the',
    'line break',
    '2 line breaks',
    '3 spaces',
    'nothing',
  ])
})

test('shades get deeper as tokens get less probable, and each begins at its bound', () => {
  for (const { level, from } of SHADES.slice(0, -1)) {
    expect(shadeOf(Math.log(from + 1e-9))).toBe(level)
    expect(shadeOf(Math.log(from - 1e-9))).toBe(level + 1)
  }
  expect(shadeOf(Number.NEGATIVE_INFINITY)).toBe(4)
  expect(shadeOf(Number.NaN)).toBe(4)
})
