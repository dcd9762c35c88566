import { expect, test } from 'vitest'
import { collectCounts, collectTexts, parseCount, parseFormat, parseNumber, parsePositiveCount, parseTokens } from '../src/option-values.ts'

test.each([
  ['1 2 3', [1, 2, 3]],
  ['1,2,3', [1, 2, 3]],
  ['[1, 2, 3]', [1, 2, 3]],
  ['  7\n8\t', [7, 8]],
  ['0', [0]],
])('%j are token ids', (text, ids) => {
  expect(parseTokens(text)).toEqual(ids)
})

test.each(['', ' ', '[]', '1 a', '-1', '1.5', '0x10', '1e3', '1;2', '[1', '12345678901234567890'])('%j are no token ids', (text) => {
  expect(() => parseTokens(text)).toThrow(/Expected .*token id/)
})

test.each(['', '-1', '1.0', '1e3', ' 1', '0x1', '9007199254740993', 'one'])('%j is no count', (text) => {
  expect(() => parseCount(text)).toThrow('whole number from 0')
})

test('a positive count is not 0', () => {
  expect(parsePositiveCount('12')).toBe(12)
  expect(() => parsePositiveCount('0')).toThrow('whole number from 1')
})

test('a number is finite and holds its condition', () => {
  const parse = parseNumber((number) => number > 0, 'a number above 0')
  expect(parse('0.5')).toBe(0.5)
  for (const text of ['', ' ', '0', '-1', 'NaN', 'Infinity', 'x']) expect(() => parse(text)).toThrow('a number above 0')
})

test('several numbers may come at once or one by one', () => {
  const collect = collectCounts(parsePositiveCount)
  expect(collect('4', collect('1,2'))).toEqual([1, 2, 4])
  expect(() => collect('1,0')).toThrow('whole number from 1')
})

test('an empty text is refused where texts are collected', () => {
  expect(collectTexts('b', ['a'])).toEqual(['a', 'b'])
  expect(() => collectTexts('')).toThrow('Expected a text')
})

test('a format that is not known is answered with those that are', () => {
  expect(parseFormat('int8-rows')).toBe('int8-rows')
  expect(() => parseFormat('toString')).toThrow('auto, f32, int8, int8-rows, int4, stored')
})
