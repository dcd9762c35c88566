import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BYTE_CHARACTERS } from '../../src/byte-alphabet.ts'
import { orderLongMarkRuns } from '../../src/normalizers/combining-flood.ts'
import { normalizerFromJson } from '../../src/normalizers/from-json.ts'

const normalize = (json: unknown, text: string) => normalizerFromJson(json, 'normalizer').normalize(text)

test('Sequence applies one after the other', () => {
  const json = {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  }
  expect(normalize(json, 'a b')).toBe('▁a▁b')
  expect(normalize(json, '')).toBe('')
})

test('normalisation forms are those of Unicode 12.1: later characters stay', () => {
  expect(normalize({ type: 'NFKC' }, 'ﬁ１🯰e\u0301')).toBe('fi1🯰é')
  expect(normalize({ type: 'NFD' }, 'é')).toBe('e\u0301')
  expect(normalize({ type: 'NFC' }, 'e\u0301')).toBe('é')
  expect(normalize({ type: 'NFKD' }, 'ﬃ')).toBe('ffi')
})

test('sorting long runs of marks does not change any normal form', () => {
  const marks = ['\u0301', '\u0323', '\u0345', '\u0334', '\u05b0', '\u0344', '\u093c', '\u0903', '\u20dd', '\u{1d165}', '\u3099', '\u0f73']
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...marks), { minLength: 256, maxLength: 300 }), (run) => {
      const text = `e${run.join('')}o`
      for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) expect(orderLongMarkRuns(text).normalize(form)).toBe(text.normalize(form))
    }),
    { numRuns: 40 },
  )
})

test('Lowercase knows no final sigma', () => {
  expect(normalize({ type: 'Lowercase' }, 'ΟΔΟΣ İ')).toBe('οδοσ i\u0307')
})

test('Strip removes white space at the ends that it is told to', () => {
  const strip = (left: boolean, right: boolean) => normalize({ type: 'Strip', strip_left: left, strip_right: right }, '\u3000 a \u0085')
  expect([strip(true, true), strip(true, false), strip(false, true)]).toEqual(['a', 'a \u0085', '\u3000 a'])
})

test('StripAccents removes combining marks and leaves composed letters', () => {
  expect(normalize({ type: 'StripAccents' }, 'e\u0301é')).toBe('eé')
})

test('Replace takes patterns as well as strings', () => {
  expect(normalize({ type: 'Replace', pattern: { Regex: ' {2,}|\\d' }, content: '_' }, 'a  b1')).toBe('a_b_')
  expect(normalize({ type: 'Replace', pattern: { String: 'aa' }, content: 'b' }, 'aaa')).toBe('ba')
})

describe('BertNormalizer', () => {
  const bert = (changes: object) => ({
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
    ...changes,
  })
  test('cleans, sets Chinese characters apart, strips accents and lowers', () => {
    expect(normalize(bert({}), 'Ä\u0000\u200d\tB中')).toBe('a b 中 ')
  })
  test('accents are stripped when it lowers, unless it says otherwise', () => {
    expect(normalize(bert({ lowercase: false }), 'Ä')).toBe('Ä')
    expect(normalize(bert({ strip_accents: false }), 'Ä')).toBe('ä')
    expect(normalize(bert({ lowercase: false, strip_accents: true }), 'Ä')).toBe('A')
  })
})

test('Nmt removes control characters and writes odd spaces as spaces', () => {
  expect(normalize({ type: 'Nmt' }, 'a\u0001\u200b\ufeffb\n')).toBe('a  b ')
})

test('ByteLevel writes the text in the byte alphabet', () => {
  expect(normalize({ type: 'ByteLevel' }, 'a é')).toBe('aĠÃ©')
  expect(new Set(BYTE_CHARACTERS).size).toBe(256)
})

describe('Precompiled', () => {
  /** A double array with the single key `x` and the replacement `yz`: root, node of 'x', its leaf. */
  function charsmap(): string {
    const units = new Uint32Array(256)
    const offset = (value: number) => value << 10
    units[0] = offset(1)
    const node = 1 ^ 0x78
    units[node] = offset(node ^ 2) | (1 << 8) | 0x78
    units[2] = 0
    const bytes = new Uint8Array(4 + units.byteLength + 3)
    new DataView(bytes.buffer).setUint32(0, units.byteLength, true)
    bytes.set(new Uint8Array(units.buffer), 4)
    bytes.set(new TextEncoder().encode('yz\0'), 4 + units.byteLength)
    return btoa(String.fromCharCode(...bytes))
  }
  test('replaces keys, and a short grapheme that begins with one as a whole', () => {
    const json = { type: 'Precompiled', precompiled_charsmap: charsmap() }
    expect(normalize(json, 'axb')).toBe('ayzb')
    expect(normalize(json, 'x\u0301x')).toBe('yzyz')
    expect(normalize(json, 'x\u0301\u0301\u0301')).toBe('yz\u0301\u0301\u0301')
  })
})
