import { describe, expect, test } from 'vitest'
import { preTokenizerFromJson } from '../../src/pre-tokenizers/from-json.ts'
import type { Piece } from '../../src/pre-tokenizers/pre-tokenizer.ts'

function split(json: unknown, text: string, start = 0): Piece[] {
  const pieces: Piece[] = []
  preTokenizerFromJson(json, 'pre_tokenizer').split({ text, start }, pieces)
  return pieces
}

const texts = (json: unknown, text: string, start = 0) => split(json, text, start).map((piece) => piece.text)

describe('delimiters, as the documentation of the reference shows them', () => {
  test.each([
    ['Removed', ['The', 'final', 'countdown']],
    ['Isolated', ['The', '-', 'final', '-', '-', 'countdown']],
    ['MergedWithPrevious', ['The-', 'final-', '-', 'countdown']],
    ['MergedWithNext', ['The', '-final', '-', '-countdown']],
    ['Contiguous', ['The', '-', 'final', '--', 'countdown']],
  ])('%s', (behavior, expected) => {
    for (const pattern of [{ String: '-' }, { Regex: '-' }])
      expect(texts({ type: 'Split', pattern, behavior, invert: false }, 'The-final--countdown')).toEqual(expected)
    expect(texts({ type: 'Punctuation', behavior }, 'The-final--countdown')).toEqual(expected)
  })
  test('inverted, the matches are kept', () => {
    expect(texts({ type: 'Split', pattern: { Regex: '\\w+' }, behavior: 'Removed', invert: true }, 'a, b')).toEqual(['a', 'b'])
  })
})

test('Sequence cuts the pieces of what came before', () => {
  const json = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Digits', individual_digits: true }] }
  expect(split(json, 'a12 3')).toEqual([
    { text: 'a', start: 0 },
    { text: '1', start: 1 },
    { text: '2', start: 2 },
    { text: '3', start: 4 },
  ])
})

test('ByteLevel cuts like GPT-2 and writes bytes', () => {
  const json = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }
  expect(texts(json, "é it's")).toEqual(['ĠÃ©', 'Ġit', "'s"])
  expect(texts({ ...json, add_prefix_space: false, use_regex: false }, 'a b')).toEqual(['aĠb'])
})

test('BertPreTokenizer sets punctuation apart, ASCII symbols included, that of Unicode 8', () => {
  expect(texts({ type: 'BertPreTokenizer' }, ' a$b, c。\u{16fe2}')).toEqual(['a', '$', 'b', ',', 'c', '。', '\u{16fe2}'])
  expect(texts({ type: 'BertPreTokenizer' }, 'a\u{16fe2}')).toEqual(['a\u{16fe2}'])
})

test('Whitespace keeps runs of word characters and of other visible ones', () => {
  expect(texts({ type: 'Whitespace' }, "Hey, it's -- ok_1")).toEqual(['Hey', ',', 'it', "'", 's', '--', 'ok_1'])
})

describe('Metaspace', () => {
  const meta = (prepend_scheme: string, isSplit: boolean) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme, split: isSplit })
  test('prepends always, only where the input begins, or never', () => {
    expect(texts(meta('always', true), 'a  b', 3)).toEqual(['▁a', '▁', '▁b'])
    expect(texts(meta('first', false), 'a b')).toEqual(['▁a▁b'])
    expect(texts(meta('first', false), 'a b', 3)).toEqual(['a▁b'])
    expect(texts(meta('never', true), 'a b')).toEqual(['a', '▁b'])
    expect(texts(meta('always', true), ' a')).toEqual(['▁a'])
  })
  test('older files say add_prefix_space', () => {
    expect(texts({ type: 'Metaspace', replacement: '_', add_prefix_space: false, str_rep: '_' }, 'a b')).toEqual(['a', '_b'])
    expect(() => split({ ...meta('always', true), add_prefix_space: false }, 'a')).toThrow(/agree/)
  })
})

test('Digits in runs', () => {
  expect(texts({ type: 'Digits', individual_digits: false }, 'a12½b')).toEqual(['a', '12½', 'b'])
})

test('CharDelimiterSplit drops the character', () => {
  expect(texts({ type: 'CharDelimiterSplit', delimiter: '|' }, 'a||b')).toEqual(['a', 'b'])
})

test('FixedLength counts characters', () => {
  expect(texts({ type: 'FixedLength', length: 2 }, 'a😀bcd')).toEqual(['a😀', 'bc', 'd'])
})

test('UnicodeScripts cuts between scripts, with kana as Han and spaces on either side', () => {
  expect(texts({ type: 'UnicodeScripts' }, 'どこで生れ。Yes')).toEqual(['どこで生れ', '。', 'Yes'])
  expect(texts({ type: 'UnicodeScripts' }, 'Apples are りんご 林檎')).toEqual(['Apples are ', 'りんご 林檎'])
})
