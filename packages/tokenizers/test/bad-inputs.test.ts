import { describe, expect, test } from 'vitest'
import { PatternError, TokenizerError, TokenizerFormatError, UnsupportedTokenizerError } from '../src/errors.ts'
import { tokenizerFromJson } from '../src/tokenizer-from-json.ts'

/** A small file that is right, with some fields replaced. */
function file(changes: Record<string, unknown> = {}) {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [added(4, '<end>')],
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: model(),
    ...changes,
  }
}

function model(changes: Record<string, unknown> = {}) {
  return { type: 'BPE', vocab: { a: 0, b: 1, ab: 2, c: 3 }, merges: ['a b'], ...changes }
}

function added(id: unknown, content: unknown, changes: Record<string, unknown> = {}) {
  return { id, content, special: true, normalized: false, lstrip: false, rstrip: false, single_word: false, ...changes }
}

const template = (single: unknown) => ({ type: 'TemplateProcessing', single, pair: [], special_tokens: {} })

test('the file that the others are broken from is read', () => {
  expect([...tokenizerFromJson(file()).encode('abc')]).toEqual([2, 3])
})

describe('refused, with the place and what was expected', () => {
  const cases: [string, unknown, typeof TokenizerError, RegExp][] = [
    ['no object', [], TokenizerFormatError, /an object/],
    ['null', null, TokenizerFormatError, /an object/],
    ['text instead of parsed JSON', '{}', TokenizerFormatError, /an object/],
    ['a file without a model', file({ model: undefined }), TokenizerFormatError, /model: found nothing/],
    ['a model without a vocabulary', file({ model: { type: 'BPE', merges: [] } }), TokenizerFormatError, /model\.vocab/],
    ['a model without merges', file({ model: model({ merges: undefined }) }), TokenizerFormatError, /model\.merges/],
    [
      'two tokens with one id',
      file({ model: model({ vocab: { a: 0, b: 0 }, merges: [] }) }),
      TokenizerFormatError,
      /"b".*id 0, which "a" has/,
    ],
    ['a negative id', file({ model: model({ vocab: { a: -1 }, merges: [] }) }), TokenizerFormatError, /id -1/],
    ['a fractional id', file({ model: model({ vocab: { a: 0.5 }, merges: [] }) }), TokenizerFormatError, /id 0\.5/],
    [
      'an id that would be an allocation',
      file({ model: model({ vocab: { a: 2 ** 31 }, merges: [] }) }),
      TokenizerFormatError,
      /id 2147483648/,
    ],
    [
      'an id that is a string',
      file({ model: model({ vocab: { a: '0' }, merges: [] }) }),
      TokenizerFormatError,
      /id 0, expected a whole number/,
    ],
    ['a merge of an unknown token', file({ model: model({ merges: ['a x'] }) }), TokenizerFormatError, /merges\[0\].*"ax"/],
    ['a merge into an unknown token', file({ model: model({ merges: [['b', 'a']] }) }), TokenizerFormatError, /merges\[0\].*"ba"/],
    ['a merge of three parts', file({ model: model({ merges: ['a b c'] }) }), TokenizerFormatError, /merges\[0\].*two tokens/],
    ['a merge that is a number', file({ model: model({ merges: [7] }) }), TokenizerFormatError, /merges\[0\]/],
    ['a merge cut short', file({ model: model({ merges: [['a']] }) }), TokenizerFormatError, /merges\[0\]/],
    [
      'an unknown token that is not in the vocabulary',
      file({ model: model({ unk_token: '<unk>' }) }),
      TokenizerFormatError,
      /unk_token.*"<unk>"/,
    ],
    ['dropout', file({ model: model({ dropout: 0.1 }) }), UnsupportedTokenizerError, /dropout of 0\.1/],
    ['an unknown model', file({ model: { type: 'Transformer' } }), UnsupportedTokenizerError, /BPE, Unigram, WordPiece, WordLevel/],
    ['an unknown option of a model', file({ model: model({ temperature: 2 }) }), UnsupportedTokenizerError, /temperature/],
    ['an empty added token', file({ added_tokens: [added(4, '')] }), TokenizerFormatError, /empty added token/],
    ['an endless added token', file({ added_tokens: [added(4, 'a'.repeat(300))] }), TokenizerFormatError, /300 characters/],
    ['an added token without content', file({ added_tokens: [{ id: 4 }] }), TokenizerFormatError, /added_tokens\[0\]\.content/],
    [
      'an added token with the id of another',
      file({ added_tokens: [added(4, 'x'), added(4, 'y')] }),
      TokenizerFormatError,
      /"y" with id 4/,
    ],
    ['an added token with two ids', file({ added_tokens: [added(4, 'x'), added(5, 'x')] }), TokenizerFormatError, /"x" with id 5/],
    [
      'an added token with another id than in the vocabulary',
      file({ added_tokens: [added(9, 'ab')] }),
      TokenizerFormatError,
      /"ab" with id 9/,
    ],
    ['a huge id of an added token', file({ added_tokens: [added(2 ** 40, 'x')] }), TokenizerFormatError, /at most/],
    ['a negative id of an added token', file({ added_tokens: [added(-4, 'x')] }), TokenizerFormatError, /added_tokens\[0\]\.id/],
    ['an unknown flag of an added token', file({ added_tokens: [added(4, 'x', { sticky: true })] }), UnsupportedTokenizerError, /sticky/],
    ['an unknown normalizer', file({ normalizer: { type: 'Rot13' } }), UnsupportedTokenizerError, /"Rot13".*NFC/],
    [
      'an unknown pre-tokenizer, nested',
      file({ pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Magic' }] } }),
      UnsupportedTokenizerError,
      /pretokenizers\[0\]\.type.*"Magic".*ByteLevel/,
    ],
    ['an unknown post-processor', file({ post_processor: { type: 'Polish' } }), UnsupportedTokenizerError, /"Polish".*TemplateProcessing/],
    ['an unknown decoder', file({ decoder: { type: 'Enigma' } }), UnsupportedTokenizerError, /"Enigma".*ByteFallback/],
    ['a component without a type', file({ decoder: {} }), TokenizerFormatError, /decoder\.type/],
    ['an unknown stage', file({ pre_normalizer: { type: 'NFC' } }), UnsupportedTokenizerError, /pre_normalizer/],
    [
      'an unknown behaviour',
      file({ pre_tokenizer: { type: 'Punctuation', behavior: 'Swallowed' } }),
      TokenizerFormatError,
      /behavior.*Isolated/,
    ],
    [
      'a pattern that is no pattern',
      file({ pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated', invert: false } }),
      PatternError,
      /pattern\.Regex/,
    ],
    [
      'an empty string to search for',
      file({ normalizer: { type: 'Replace', pattern: { String: '' }, content: 'x' } }),
      TokenizerFormatError,
      /empty string/,
    ],
    [
      'a replacement of two characters',
      file({ pre_tokenizer: { type: 'Metaspace', replacement: '__' } }),
      TokenizerFormatError,
      /one character/,
    ],
    [
      'a character map that is not base64',
      file({ normalizer: { type: 'Precompiled', precompiled_charsmap: '?' } }),
      TokenizerFormatError,
      /base64/,
    ],
    [
      'a character map that is cut off',
      file({ normalizer: { type: 'Precompiled', precompiled_charsmap: btoa('\xff\xff\0\0abcd') } }),
      TokenizerFormatError,
      /precompiled_charsmap/,
    ],
    ['a piece without a score', file({ model: { type: 'Unigram', vocab: [['a']], unk_id: 0 } }), TokenizerFormatError, /vocab\[0\]/],
    ['an unknown piece out of range', file({ model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 1 } }), TokenizerFormatError, /unk_id/],
    [
      'a template with an undeclared token',
      file({ post_processor: template([{ SpecialToken: { id: '[X]', type_id: 0 } }]) }),
      TokenizerFormatError,
      /"\[X\]"/,
    ],
    [
      'a template for one text that asks for two',
      file({ post_processor: template([{ Sequence: { id: 'B', type_id: 0 } }]) }),
      TokenizerFormatError,
      /sequence A/,
    ],
    [
      'truncation of the second text',
      file({ truncation: { max_length: 5, strategy: 'OnlySecond', stride: 0 } }),
      UnsupportedTokenizerError,
      /OnlySecond/,
    ],
    [
      'padding to a length that is an allocation',
      file({ padding: { strategy: { Fixed: 2 ** 40 }, pad_id: 0 } }),
      TokenizerFormatError,
      /at most/,
    ],
  ]
  test.each(cases)('%s', (_, json, kind, reason) => {
    const read = () => tokenizerFromJson(json)
    expect(read).toThrow(kind)
    expect(read).toThrow(reason)
    expect(read).toThrow(TokenizerError)
  })
})

test('stages nested without end are refused before the stack is exhausted', () => {
  let normalizer: unknown = { type: 'NFC' }
  for (let i = 0; i < 100_000; i++) normalizer = { type: 'Sequence', normalizers: [normalizer] }
  expect(() => tokenizerFromJson(file({ normalizer }))).toThrow(/nested 51 deep/)
})

test('holes in the vocabulary are legal: those ids have no token', () => {
  const tokenizer = tokenizerFromJson(file({ model: model({ vocab: { a: 0, b: 7 }, merges: [] }), added_tokens: [] }))
  expect(tokenizer.vocabularySize).toBe(8)
  expect(tokenizer.tokenOf(3)).toBeUndefined()
  expect(tokenizer.decode([0, 3, 7])).toBe('ab')
})

test('__proto__ is a token like others', () => {
  const vocab = JSON.parse('{"__proto__": 0, "constructor": 1, "a": 2}')
  const tokenizer = tokenizerFromJson(file({ model: { type: 'WordLevel', vocab, unk_token: 'a' }, added_tokens: [] }))
  expect([...tokenizer.encode('__proto__ constructor toString')]).toEqual([0, 1, 2])
})

test('an added token that matches every character leaves no work for the model', () => {
  const tokenizer = tokenizerFromJson(file({ added_tokens: [added(0, 'a', { special: false })] }))
  expect([...tokenizer.encode('aaa')]).toEqual([0, 0, 0])
})

test('errors carry a code and what was found, expected and where', () => {
  try {
    tokenizerFromJson(file({ decoder: { type: 'Enigma' } }))
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({ code: 'tokenizer-unsupported', found: 'the decoder "Enigma"', where: { field: 'decoder.type' } })
  }
})

describe('long and odd texts end in bounded time', () => {
  const LENGTH = 1_000_000
  const byteLevel = tokenizerFromJson(
    file({
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
      model: model({ vocab: { a: 0, aa: 1, aaa: 2 }, merges: ['a a', 'aa a'] }),
      added_tokens: [],
    }),
  )

  test('a megabyte of one letter', () => {
    expect(byteLevel.encode('a'.repeat(LENGTH)).length).toBe(LENGTH / 2)
  })

  test('a megabyte of the start of an added token', () => {
    const tokenizer = tokenizerFromJson(
      file({ added_tokens: [added(9, `${'a'.repeat(50)}!`)], pre_tokenizer: { type: 'WhitespaceSplit' } }),
    )
    expect(tokenizer.encode('a'.repeat(LENGTH)).length).toBe(LENGTH)
  })

  test.each(['NFC', 'NFD', 'NFKC', 'NFKD'])('a flood of combining marks under %s', (form) => {
    const tokenizer = tokenizerFromJson(
      file({ normalizer: { type: form }, model: { type: 'WordLevel', vocab: { '<unk>': 0 } }, added_tokens: [] }),
    )
    expect([...tokenizer.encode(`a${'\u0301\u0323'.repeat(LENGTH / 4)}`)]).toEqual([0])
  })

  test('a pattern that would backtrack exponentially', () => {
    const pattern = { type: 'Split', pattern: { Regex: '(a+)+b' }, behavior: 'Isolated', invert: false }
    const tokenizer = tokenizerFromJson(file({ pre_tokenizer: pattern }))
    expect(tokenizer.encode('a'.repeat(LENGTH)).length).toBe(LENGTH)
  })

  test('a text that the vocabulary cannot express, where there is no unknown token', () => {
    const tokenizer = tokenizerFromJson(file({ model: { type: 'Unigram', vocab: [['a', -1]] }, added_tokens: [] }))
    expect(() => tokenizer.encode('b')).toThrow(/"b".*cannot express/)
  })
})
