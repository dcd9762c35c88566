import { Tokenizer as ReferenceTokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tokenizerFromJson } from '../src/tokenizer-from-json.ts'
import { fixturesFolder, readTokenizerFixture } from './tokenizer-fixture.ts'

/**
 * Random texts against `@huggingface/tokenizers` 0.2.0. Left out is where that library differs from the Rust original: it hands `\s` to
 * JavaScript (U+FEFF and U+0085 change sides), has no byte fallback for lone surrogates, and uses the engine's Unicode version.
 */
const letters = [
  ...'abcdefghijklmnopqrstuvwxyz    ETAOIN 0123456789.,;:!?\'"()[]{}<>-_=+/\\|@#$%&*\n\t',
  ...'éüñßøçЖдяαβγλ中文字漢日本語한국어🙂🎉👍',
]
const texts = fc.array(fc.constantFrom(...letters), { maxLength: 60 }).map((characters) => characters.join(''))

describe('random texts have the ids and the decoding that @huggingface/tokenizers gives', () => {
  const names = ['trained-bpe-bytes', 'trained-wordpiece', 'trained-unigram', 'trained-spm-bpe-bytes']
  const large = ['smollm2', 'qwen3', 'gpt-oss', 'mistral-v3', 'bert-uncased']
  const compare = (name: string, numRuns: number) => {
    const { json } = readTokenizerFixture(name)
    const tokenizer = tokenizerFromJson(json)
    const reference = new ReferenceTokenizer(Object(json), {})
    fc.assert(
      fc.property(texts, (text) => {
        const ids = [...tokenizer.encode(text, { parseSpecialTokens: true })]
        expect(ids).toEqual(reference.encode(text).ids)
        if (ids.length > 0)
          expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(
            reference.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
          )
      }),
      { numRuns },
    )
  }
  test.each(names)('%s', (name) => compare(name, 300))
  test.skipIf(fixturesFolder === undefined).each(large)('%s (needs FORETOKEN_FIXTURES)', (name) => compare(name, 200))
})
