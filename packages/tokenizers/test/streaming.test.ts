import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PipelineTokenizer } from '../src/pipeline.ts'
import { tokenizerFromJson } from '../src/tokenizer-from-json.ts'
import { readTokenizerFixture, SMALL_FIXTURES } from './tokenizer-fixture.ts'

/** All texts that the stream has returned after each token, and after the end. */
function growth(tokenizer: PipelineTokenizer, ids: readonly number[], skipSpecialTokens: boolean): string[] {
  const stream = tokenizer.stream({ skipSpecialTokens })
  let text = ''
  const texts = ids.map((id) => {
    text += stream.push(id)
    return text
  })
  return [...texts, text + stream.flush()]
}

describe.each(SMALL_FIXTURES)('streaming with %s', (name) => {
  const { json, expected } = readTokenizerFixture(name)
  const tokenizer = tokenizerFromJson(json)
  // Random ids, mostly invalid as UTF-8, and stretches of real text with emoji and many scripts.
  const someIds = fc.oneof(
    fc.array(fc.integer({ min: 0, max: tokenizer.vocabularySize + 2 }), { maxLength: 24 }),
    fc
      .constantFrom(...expected.cases.map(({ ids }) => ids))
      .chain((ids) => fc.tuple(fc.nat(ids.length), fc.nat(12)).map(([start, length]) => ids.slice(start, start + length))),
  )

  test('what was returned for a prefix stays, whatever follows, and all together is what decode returns', () => {
    fc.assert(
      fc.property(someIds, fc.boolean(), (ids, skipSpecialTokens) => {
        const texts = growth(tokenizer, ids, skipSpecialTokens)
        const whole = texts.at(-1) ?? ''
        expect(whole).toBe(tokenizer.decode(ids, { skipSpecialTokens }))
        for (const text of texts) expect(whole.startsWith(text)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('a prefix of a text that is whole as UTF-8 never shows a replacement character', () => {
    for (const { ids, decoded } of expected.cases) {
      if (decoded.includes('\ufffd') || ids.length > 400) continue
      for (const text of growth(tokenizer, ids, false)) expect(text).not.toContain('\ufffd')
    }
  })
})

test('a character comes out with the token that completes it', () => {
  const tokenizer = tokenizerFromJson(readTokenizerFixture('trained-bpe-bytes').json)
  const ids = tokenizer.encode('a€b')
  const stream = tokenizer.stream()
  expect(Array.from(ids, (id) => stream.push(id))).toEqual(['a', '', '', '€', 'b'])
})

test('a run of byte tokens comes out when it has ended, since one bad byte would turn it all into U+FFFD', () => {
  const tokenizer = tokenizerFromJson(readTokenizerFixture('trained-spm-bpe-bytes').json)
  const byte = (value: number) => tokenizer.idOf(`<0x${value.toString(16).toUpperCase()}>`) ?? -1
  const euro = [byte(0xe2), byte(0x82), byte(0xac)]
  const letter = tokenizer.idOf('a') ?? -1
  const stream = tokenizer.stream()
  expect([...euro, letter].map((id) => stream.push(id))).toEqual(['', '', '', '€a'])
  expect(tokenizer.decode([...euro, byte(0xff), letter])).toBe('\ufffd\ufffd\ufffd\ufffda')
})

test('the space that the tokenizer put before the first word is left out once, not until there is text', () => {
  const tokenizer = tokenizerFromJson(readTokenizerFixture('trained-spm-bpe-bytes').json)
  const space = tokenizer.idOf('▁') ?? -1
  const stream = tokenizer.stream()
  expect([space, space, space].map((id) => stream.push(id))).toEqual(['', ' ', ' '])
})
