import { expect, test } from 'vitest'
import { frequentTokens } from '../src/draft-vocabulary.ts'

test('the most frequent tokens of texts are kept, of equal ones the lower ids, with those that are always kept', () => {
  const texts = [
    [5, 5, 5, 9, 9, 2],
    [9, 9, 7, 2],
  ]
  expect([...frequentTokens(texts, { vocab: 10, count: 3 })]).toEqual([2, 5, 9])
  expect([...frequentTokens(texts, { vocab: 10, count: 3, always: [0] })]).toEqual([0, 5, 9])
  expect([...frequentTokens(texts, { vocab: 10, count: 6 })]).toEqual([0, 1, 2, 5, 7, 9])
  expect([...frequentTokens([], { vocab: 4, count: 9 })]).toEqual([0, 1, 2, 3])
})

test('ids outside of the vocabulary, and more tokens than there is room for, are refused', () => {
  for (const [texts, options] of [
    [[[10]], { vocab: 10, count: 2 }],
    [[[-1]], { vocab: 10, count: 2 }],
    [[[1]], { vocab: 10, count: 1, always: [2, 3] }],
    [[[1]], { vocab: 10, count: 0 }],
  ] as const) {
    expect(() => frequentTokens(texts, options)).toThrow(expect.objectContaining({ code: 'argument' }))
  }
})
