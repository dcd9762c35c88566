import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tokenizerFromJson } from '../src/tokenizer-from-json.ts'
import { readTokenizerFixture } from './tokenizer-fixture.ts'

const bytes = tokenizerFromJson(readTokenizerFixture('trained-bpe-bytes').json)
const fallback = tokenizerFromJson(readTokenizerFixture('trained-spm-bpe-bytes').json)
const START = bytes.idOf('<|im_start|>') ?? -1
const anyText = fc.string({ unit: 'grapheme', maxLength: 60 })

test('decoding undoes encoding for byte-level tokenizers, for every well-formed text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      expect(bytes.decode(bytes.encode(text))).toBe(text.toWellFormed())
    }),
  )
})

test('a lone surrogate is read as U+FFFD', () => {
  expect(bytes.decode(bytes.encode('a\ud83db\udc00'))).toBe('a\ufffdb\ufffd')
  expect(bytes.decode(bytes.encode('😀'))).toBe('😀')
})

test('NUL is a character like others', () => {
  expect(bytes.decode(bytes.encode('a\0\0b'))).toBe('a\0\0b')
})

test('special tokens in the text stay text unless they are parsed', () => {
  const text = '<|im_start|>user'
  expect([...bytes.encode(text)]).not.toContain(START)
  expect(bytes.decode(bytes.encode(text))).toBe(text)
  expect(bytes.encode(text, { parseSpecialTokens: true })[0]).toBe(START)
})

describe('encodeSegments', () => {
  const segment = (text: string, parseSpecialTokens: boolean) => ({ text, parseSpecialTokens })

  test('gives the ids of the whole text when no special token is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, fc.boolean()), { maxLength: 5 }), (parts) => {
        fc.pre(!parts.some(([text]) => text.includes('<')))
        const segments = parts.map(([text, parse]) => segment(text, parse))
        expect(bytes.encodeSegments(segments)).toEqual(bytes.encode(parts.map(([text]) => text).join('')))
      }),
    )
  })

  test('parses special tokens where it may and nowhere else', () => {
    const ids = [...bytes.encodeSegments([segment('<|im_start|>', true), segment('<|im_start|>', false), segment('<|im_start|>', true)])]
    expect(ids.filter((id) => id === START)).toHaveLength(2)
    expect(bytes.decode(ids)).toBe('<|im_start|>'.repeat(3))
  })

  test('a special token that is written across a border is text', () => {
    const ids = [...bytes.encodeSegments([segment('<|im_', true), segment('start|>', false)])]
    expect(ids).not.toContain(START)
  })

  test('merges reach across borders', () => {
    const whole = bytes.encode('the the')
    expect(bytes.encodeSegments([segment('t', true), segment('he th', false), segment('e', true)])).toEqual(whole)
  })

  test('special tokens that are sought in normalised text are kept out of protected ranges too', () => {
    const tokenizer = tokenizerFromJson({
      added_tokens: [{ id: 4, content: 'STOP', special: true, normalized: true, lstrip: false, rstrip: false, single_word: false }],
      normalizer: { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, { type: 'Prepend', prepend: '_' }] },
      model: { type: 'BPE', vocab: { _: 0, s: 1, t: 2, o: 3, p: 5 }, merges: [] },
    })
    // The pattern is normalised like the text: it begins with the prefix.
    const ids = tokenizer.encodeSegments([segment('Stop', true), segment('Stop', false)])
    expect([...ids]).toEqual([4, 1, 2, 3, 5])
    expect([...tokenizer.encodeSegments([segment('Stop', false), segment('Stop', true)])]).not.toContain(4)
  })
})

describe('tokenBytes', () => {
  test('of all tokens of a text together are the bytes of the text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const found = Array.from(bytes.encode(text), (id) => [...(bytes.tokenBytes(id) ?? [])]).flat()
        expect(found).toEqual([...new TextEncoder().encode(text)])
      }),
    )
  })

  test('of a byte token is that byte, of a piece its text with spaces, of a special token its content', () => {
    expect(fallback.tokenBytes(fallback.idOf('<0xE2>') ?? -1)).toEqual(Uint8Array.of(0xe2))
    expect(fallback.tokenBytes(fallback.idOf('▁t') ?? -1)).toEqual(Uint8Array.of(0x20, 0x74))
    expect(fallback.tokenBytes(fallback.idOf('</s>') ?? -1)).toEqual(new TextEncoder().encode('</s>'))
    expect(fallback.tokenBytes(1_000_000)).toBeUndefined()
  })
})

describe('truncation and padding', () => {
  const { json } = readTokenizerFixture('trained-wordpiece')
  const withSettings = (settings: object) => tokenizerFromJson({ ...Object(json), ...settings })
  const plain = [...tokenizerFromJson(json).encode('the rays of light')]

  test('a text is cut so that it has the length with what is added', () => {
    const truncation = { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 0 }
    const ids = [...withSettings({ truncation }).encode('the rays of light')]
    expect(ids).toEqual([...plain.slice(0, 3), plain.at(-1)])
    const left = [...withSettings({ truncation: { ...truncation, direction: 'Left' } }).encode('the rays of light')]
    expect(left).toEqual([plain[0], ...plain.slice(-3)])
    expect([...tokenizerFromJson({ ...Object(json), truncation }, { truncation: 'none' }).encode('the rays of light')]).toEqual(plain)
  })

  test('a text is padded to a fixed length or to a multiple', () => {
    const padding = {
      strategy: { Fixed: plain.length + 2 },
      direction: 'Right',
      pad_to_multiple_of: null,
      pad_id: 7,
      pad_type_id: 0,
      pad_token: '[PAD]',
    }
    expect([...withSettings({ padding }).encode('the rays of light')]).toEqual([...plain, 7, 7])
    const multiple = { ...padding, strategy: 'BatchLongest', pad_to_multiple_of: 32, direction: 'Left' }
    const ids = [...withSettings({ padding: multiple }).encode('the rays of light')]
    expect(ids).toHaveLength(32)
    expect(ids.slice(-plain.length)).toEqual(plain)
    expect([...tokenizerFromJson({ ...Object(json), padding }, { padding: 'none' }).encode('the rays of light')]).toEqual(plain)
  })
})

test('special tokens come from tokenizer_config.json, or from options where they know better', () => {
  const { json } = readTokenizerFixture('trained-bpe-bytes')
  const config = { eos_token: '<|im_end|>', pad_token: { content: '<|endoftext|>' }, bos_token: null }
  expect(tokenizerFromJson(json).specialTokens).toEqual({ endOfText: [] })
  expect(tokenizerFromJson(json, { config }).specialTokens).toEqual({ endOfText: [2], padding: 0 })
  expect(tokenizerFromJson(json, { config, specialTokens: { endOfText: [0, 2] } }).specialTokens).toEqual({ endOfText: [0, 2], padding: 0 })
})

test('added tokens that only tokenizer_config.json lists are found', () => {
  const { json } = readTokenizerFixture('trained-bpe-bytes')
  const config = {
    added_tokens_decoder: {
      '600': { content: '<think>', special: false, normalized: false, lstrip: false, rstrip: false, single_word: false },
    },
  }
  expect([...tokenizerFromJson(json, { config }).encode('<think>')]).toEqual([600])
})

test('an id without a token has no text', () => {
  expect(bytes.decode([599_999, -1, START])).toBe('<|im_start|>')
})
