import { expect, test } from 'vitest'
import { type AddedToken, makeAddedTokenMatcher } from '../src/added-tokens.ts'

function token(content: string, flags: Partial<AddedToken> = {}): AddedToken {
  return { id: 0, content, special: false, normalized: false, lstrip: false, rstrip: false, singleWord: false, ...flags }
}

function found(tokens: readonly AddedToken[], text: string, isAllowed = (_start: number, _end: number) => true): string[] {
  const matcher = makeAddedTokenMatcher(new Map(tokens.map((each) => [each.content, each])))
  return (matcher?.findAll(text, isAllowed) ?? []).map(({ start, end }) => text.slice(start, end))
}

test('the longest token wins, the leftmost first', () => {
  expect(found([token('<a'), token('<a>'), token('a>b')], '<a>b<a')).toEqual(['<a>', '<a'])
})

test('lstrip and rstrip take white space along, up to the previous token', () => {
  expect(found([token('X', { lstrip: true, rstrip: true })], 'a \n X  X b')).toEqual([' \n X  ', 'X '])
})

test('a single word is not found inside of a word, and nothing shorter in its place', () => {
  expect(found([token('in', { singleWord: true }), token('i')], 'in, xinx.in_ é-in')).toEqual(['in', 'in'])
})

test('a special token is only found where it is allowed; a shorter one that is not special still is', () => {
  const tokens = [token('<|end|>', { special: true }), token('<|')]
  expect(found(tokens, '<|end|><|end|>', (start) => start > 0)).toEqual(['<|', '<|end|>'])
})

test('tokens beyond the Basic Multilingual Plane and with characters of patterns are found', () => {
  expect(found([token('😀]'), token('^-\\')], 'a😀]^-\\')).toEqual(['😀]', '^-\\'])
})
