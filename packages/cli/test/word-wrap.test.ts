import { expect, test } from 'vitest'
import { wordWrap } from '../src/word-wrap.ts'
import { createScreen } from './screen.ts'

function wrapped(columns: number, ...pieces: string[]): string[] {
  const screen = createScreen(columns, 100)
  const wrap = wordWrap(() => columns)
  for (const piece of pieces) screen.write(wrap.push(piece))
  return screen.lines()
}

test('a word that does not fit is moved as a whole, also when it has begun', () => {
  expect(wrapped(11, 'hello won', 'der')).toEqual(['hello', 'wonder'])
})

test('a line that is filled to the last column but one is not broken', () => {
  expect(wrapped(11, 'hello worl')).toEqual(['hello worl'])
  expect(wrapped(11, 'hello worl', 'd')).toEqual(['hello', 'world'])
})

test('the space at which a line is broken is not written', () => {
  expect(wrapped(6, 'abcde fgh')).toEqual(['abcde', 'fgh'])
})

test('a word longer than a line is broken where the line ends', () => {
  expect(wrapped(5, 'abcdefghij')).toEqual(['abcd', 'efgh', 'ij'])
})

test('wide characters count two cells and may be broken anywhere', () => {
  // a screen of one cell for each character stands in: only the line ends are looked at
  expect(wordWrap(() => 7).push('日本語文字')).toBe('日本語\n文字')
})

test('combining marks take no cell', () => {
  expect(wordWrap(() => 5).push('e\u0301e\u0301e\u0301e\u0301')).toBe('e\u0301e\u0301e\u0301e\u0301')
})

test('a tab becomes spaces, so that its width is known', () => {
  expect(wordWrap(() => 20).push('a\tb')).toBe('a    b')
})

test('a narrower terminal counts from the next piece on', () => {
  let columns = 20
  const wrap = wordWrap(() => columns)
  expect(wrap.push('one two ')).toBe('one two ')
  columns = 9
  expect(wrap.push('three')).toBe('\nthree')
})
