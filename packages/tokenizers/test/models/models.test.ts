import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { modelFromJson } from '../../src/models/from-json.ts'
import { makeWordCache } from '../../src/models/word-cache.ts'

const vocab = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]))

function tokens(json: object, piece: string, reserved: readonly string[] = []): (string | undefined)[] {
  const unfinished = modelFromJson(json, 'model')
  const model = unfinished.finish((id) => reserved.includes(unfinished.vocabulary.tokenOf(id) ?? ''))
  const ids: number[] = []
  model.tokenize(piece, ids)
  return ids.map(unfinished.vocabulary.tokenOf)
}

describe('BPE', () => {
  const base = { type: 'BPE', merges: ['a b'] }
  test('prefixes of continuations and the suffix of the end are part of the tokens', () => {
    const json = {
      ...base,
      vocab: vocab(['a', '##b', 'ab', '##c</w>', 'abc</w>']),
      merges: ['a ##b', 'ab ##c</w>'],
      continuing_subword_prefix: '##',
      end_of_word_suffix: '</w>',
    }
    expect(tokens(json, 'abc')).toEqual(['abc</w>'])
  })
  test('a character without a token becomes its bytes, the unknown token, or nothing', () => {
    const known = ['<unk>', 'a', 'b', 'ab']
    expect(tokens({ ...base, vocab: vocab([...known, '<0xC3>', '<0xA9>']), byte_fallback: true, unk_token: '<unk>' }, 'aéb')).toEqual([
      'a',
      '<0xC3>',
      '<0xA9>',
      'b',
    ])
    expect(tokens({ ...base, vocab: vocab([...known, '<0xC3>']), byte_fallback: true, unk_token: '<unk>' }, 'aéb')).toEqual([
      'a',
      '<unk>',
      'b',
    ])
    expect(tokens({ ...base, vocab: vocab(known), unk_token: '<unk>' }, 'aééb')).toEqual(['a', '<unk>', '<unk>', 'b'])
    expect(tokens({ ...base, vocab: vocab(known), unk_token: '<unk>', fuse_unk: true }, 'aééb')).toEqual(['a', '<unk>', 'b'])
    expect(tokens({ ...base, vocab: vocab(known) }, 'aéb')).toEqual(['ab'])
  })
  test('ignore_merges takes a whole piece as a token, unless the token is special', () => {
    const json = { ...base, vocab: vocab(['a', 'b', 'ab', 'aba']), ignore_merges: true }
    expect(tokens(json, 'aba')).toEqual(['aba'])
    expect(tokens(json, 'aba', ['aba'])).toEqual(['ab', 'a'])
    expect(tokens(json, 'ab', ['ab'])).toEqual(['a', 'b'])
  })
  test('merges of two forms are the same, and a version line is none', () => {
    const json = { ...base, vocab: vocab(['a', 'b', 'ab']) }
    expect(tokens({ ...json, merges: ['#version: 0.2', 'a b'] }, 'ab')).toEqual(['ab'])
    expect(tokens({ ...json, merges: [['a', 'b']] }, 'ab')).toEqual(['ab'])
  })
})

describe('Unigram', () => {
  const pieces: [string, number][] = [
    ['<unk>', 0],
    ['a', -2],
    ['b', -3],
    ['ab', -3.5],
    ['abc', -9],
    ['c', -4],
    ['bc', -4.5],
  ]
  const json = { type: 'Unigram', vocab: pieces, unk_id: 0 }

  /** The best of all segmentations, tried one by one; unknown characters cost ten more than the worst piece. */
  function best(text: string): number {
    if (text === '') return 0
    const unknown = -9 - 10
    let greatest = Number.NEGATIVE_INFINITY
    for (let end = 1; end <= text.length; end++) {
      const score = pieces.find(([piece]) => piece === text.slice(0, end))?.[1] ?? (end === 1 ? unknown : Number.NaN)
      const total = score + best(text.slice(end))
      if (total > greatest) greatest = total
    }
    return greatest
  }

  test('the segmentation has the greatest sum of scores', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 9 }), (letters) => {
        const text = letters.join('')
        const found = tokens(json, text)
        expect(found.join('')).toBe(text)
        const sum = found.reduce((total, token) => total + (pieces.find(([piece]) => piece === token)?.[1] ?? Number.NaN), 0)
        expect(sum).toBeCloseTo(best(text))
      }),
    )
  })
  test('unknown characters in a row are one unknown token, or the bytes of all of them', () => {
    expect(tokens(json, 'aéèb')).toEqual(['a', '<unk>', 'b'])
    const bytes: [string, number][] = ['<0xC3>', '<0xA9>', '<0xA8>'].map((token) => [token, -20])
    expect(tokens({ ...json, vocab: [...pieces, ...bytes], byte_fallback: true }, 'éè')).toEqual(['<0xC3>', '<0xA9>', '<0xC3>', '<0xA8>'])
  })
  test('a special piece is not made from text', () => {
    expect(tokens({ ...json, vocab: [...pieces, ['</s>', 0]] }, 'a</s>', ['</s>'])).toEqual(['a', '<unk>'])
  })
})

describe('WordPiece', () => {
  const json = { type: 'WordPiece', vocab: vocab(['[UNK]', 'un', '##aff', '##able', 'a', '##b', '##ab']), max_input_chars_per_word: 10 }
  test('takes the longest token that fits, again and again', () => {
    expect(tokens(json, 'unaffable')).toEqual(['un', '##aff', '##able'])
    expect(tokens(json, 'aab')).toEqual(['a', '##ab'])
  })
  test('a word that cannot be split whole, or is too long in characters, is unknown', () => {
    expect(tokens(json, 'unx')).toEqual(['[UNK]'])
    expect(tokens(json, `a${'b'.repeat(9)}`)).toHaveLength(10)
    expect(tokens(json, `a${'b'.repeat(10)}`)).toEqual(['[UNK]'])
    expect(tokens(json, '😀'.repeat(11))).toEqual(['[UNK]'])
  })
  test('without an unknown token it says what it cannot express', () => {
    expect(() => tokens({ ...json, vocab: vocab(['a']) }, 'x')).toThrow(/"x".*"\[UNK\]"/)
  })
})

test('WordLevel: a word or the unknown token', () => {
  const json = { type: 'WordLevel', vocab: vocab(['<unk>', 'light']), unk_token: '<unk>' }
  expect(tokens(json, 'light')).toEqual(['light'])
  expect(tokens(json, 'dark')).toEqual(['<unk>'])
  expect(tokens(json, 'light', ['light'])).toEqual(['<unk>'])
})

test('models without a type are told apart by their fields', () => {
  expect(tokens({ vocab: vocab(['a', 'b', 'ab']), merges: ['a b'] }, 'ab')).toEqual(['ab'])
  expect(tokens({ vocab: [['a', -1]], unk_id: 0 }, 'a')).toEqual(['a'])
})

test('the word cache forgets old words, keeps used ones and takes no long ones', () => {
  const cache = makeWordCache()
  cache.set('kept', [1])
  cache.set('x'.repeat(65), [2])
  cache.set('lost', [3])
  for (let i = 0; i < 20_000; i++) {
    cache.set(`word ${i}`, [i])
    if (i % 1000 === 0) cache.get('kept')
  }
  expect(cache.get('kept')).toEqual([1])
  expect(cache.get('lost')).toBeUndefined()
  expect(cache.get('x'.repeat(65))).toBeUndefined()
})
