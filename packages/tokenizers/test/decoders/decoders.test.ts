import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromByteCharacters } from '../../src/byte-alphabet.ts'
import { decoderFromJson } from '../../src/decoders/from-json.ts'
import { makeUtf8Stream } from '../../src/decoders/utf8-stream.ts'

/** What the stage passes on, token by token, once no more can follow. */
function decode(json: unknown, tokens: readonly string[]): string {
  let text = ''
  const sink = decoderFromJson(json, 'decoder').start({
    push: (part) => {
      text += part
    },
    finish: () => {},
  })
  for (const token of tokens) sink.push(token, true, true)
  sink.finish()
  return text
}

const sequence = (...decoders: object[]) => ({ type: 'Sequence', decoders })
const tokens = fc.array(
  fc.constantFrom('▁', '▁a', 'b', ' ', '  c ', '<0xE2>', '<0x82>', '<0xAC>', '<0xFF>', '<0xZZ>', '', '##d', 'e</w>', ' .'),
  { maxLength: 12 },
)

describe('each decoder does what a list of whole tokens would give', () => {
  const replace = (list: string[]) => list.map((token) => token.replaceAll('▁', ' '))
  const strip = (list: string[], start: number, stop: number) =>
    list.map((token) => {
      let text = token
      for (let i = 0; i < start && text.startsWith(' '); i++) text = text.slice(1)
      for (let i = 0; i < stop && text.endsWith(' '); i++) text = text.slice(0, -1)
      return text
    })
  const byteFallback = (list: string[]) => {
    const result: string[] = []
    let run: number[] = []
    const close = () => {
      try {
        if (run.length > 0) result.push(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(run)))
      } catch {
        result.push(...run.map(() => '\ufffd'))
      }
      run = []
    }
    for (const token of list) {
      const byte = /^<0x([0-9A-F]{2})>$/.exec(token)
      if (byte !== null) run.push(Number.parseInt(byte[1] ?? '', 16))
      else {
        close()
        result.push(token)
      }
    }
    close()
    return result
  }
  const REPLACE = { type: 'Replace', pattern: { String: '▁' }, content: ' ' }
  const STRIP = (start: number, stop: number) => ({ type: 'Strip', content: ' ', start, stop })
  const chains: [string, object, (list: string[]) => string[]][] = [
    ['Replace', REPLACE, replace],
    ['Strip', STRIP(1, 1), (list) => strip(list, 1, 1)],
    ['ByteFallback', { type: 'ByteFallback' }, byteFallback],
    [
      'Llama 2',
      sequence(REPLACE, { type: 'ByteFallback' }, { type: 'Fuse' }, STRIP(1, 0)),
      (list) => strip([byteFallback(replace(list)).join('')], 1, 0),
    ],
    ['Fuse and Strip at both ends', sequence(REPLACE, { type: 'Fuse' }, STRIP(2, 3)), (list) => strip([replace(list).join('')], 2, 3)],
    [
      'Metaspace',
      { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
      (list) => list.map((token, i) => token.replaceAll('▁', i === 0 ? '' : ' ')),
    ],
    ['Metaspace that never prepended', { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never' }, replace],
    [
      'WordPiece',
      { type: 'WordPiece', prefix: '##', cleanup: false },
      (list) => list.map((token, i) => (i === 0 ? token : token.startsWith('##') ? token.slice(2) : ` ${token}`)),
    ],
    [
      'BPEDecoder',
      { type: 'BPEDecoder', suffix: '</w>' },
      (list) => list.map((token, i) => token.replaceAll('</w>', i === list.length - 1 ? '' : ' ')),
    ],
  ]
  test.each(chains)('%s', (_, json, reference) => {
    fc.assert(
      fc.property(tokens, (list) => {
        expect(decode(json, list)).toBe(reference(list).join(''))
      }),
      { numRuns: 300 },
    )
  })
})

test('ByteLevel reads all bytes together; tokens outside of the alphabet are text', () => {
  expect(decode({ type: 'ByteLevel' }, ['Ġâ', 'Ĥ', '¬', '<｜end｜>'])).toBe(' €<｜end｜>')
  expect(decode({ type: 'ByteLevel' }, ['â', 'Ĥ'])).toBe('\ufffd')
  expect(fromByteCharacters('Ġâ')).toEqual(Uint8Array.of(0x20, 0xe2))
})

test('UTF-8 in any portions is what it is in one, invalid bytes included', () => {
  const byte = fc.oneof(
    fc.constantFrom(0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0xf4, 0x90, 0xef, 0xbb, 0xbf),
    fc.nat(255),
  )
  fc.assert(
    fc.property(fc.array(fc.array(byte, { maxLength: 5 }), { maxLength: 8 }), (portions) => {
      const stream = makeUtf8Stream()
      const text = portions.map((portion) => stream.push(Uint8Array.from(portion))).join('') + stream.flush()
      expect(text).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(portions.flat())))
    }),
    { numRuns: 1000 },
  )
})

test('WordPiece cleans up what English does not write', () => {
  expect(decode({ type: 'WordPiece', prefix: '##', cleanup: true }, ['do', "n't", ',', 'I', "'m", '.'])).toBe("don't, I'm.")
})

test('CTC counts repeats once, unless padding lies between', () => {
  const json = { type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: true }
  expect(decode(json, ['h', 'h', 'e', 'l', '<pad>', 'l', 'o', 'o', '|', '|', 'x'])).toBe('hello x')
})
