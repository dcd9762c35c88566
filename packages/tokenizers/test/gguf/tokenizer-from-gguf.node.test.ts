import { expect, test } from 'vitest'
import { tokenizerFromGguf } from '../../src/gguf/tokenizer-from-gguf.ts'
import type { GgufMetadataValue } from '../../src/gguf/tokenizer-metadata.ts'
import { fixturesFolder, LARGE_FIXTURES, readTokenizerFixture, type TokenizerCase } from '../tokenizer-fixture.ts'
import { ggufMetadataFrom } from './metadata-from-tokenizer-json.ts'

const SPM = { bos_token_id: 1, eos_token_id: 2, unknown_token_id: 0 }
const T5 = { ...SPM, remove_extra_whitespaces: true }
const BERT = { cls_token_id: 101, seperator_token_id: 102, unknown_token_id: 100, padding_token_id: 0 }

/** How each tokenizer is turned into GGUF. */
const TOKENIZERS: readonly (readonly [string, string, Readonly<Record<string, GgufMetadataValue>>])[] = [
  ['trained-spm-bpe-bytes', 'llama', SPM],
  ['trained-spm-unigram', 't5', T5],
  ['trained-spm-unigram-bytes', 't5', T5],
  ['smollm2', 'gpt2', { pre: 'smollm', bos_token_id: 1, eos_token_id: 2, add_bos_token: false }],
  ['gpt2', 'gpt2', { pre: 'gpt-2', bos_token_id: 50_256, eos_token_id: 50_256 }],
  ['qwen3', 'gpt2', { pre: 'qwen2', eos_token_id: 151_645n }],
  ['gpt-oss', 'gpt2', { pre: 'gpt-4o', bos_token_id: 199_998, eos_token_id: 200_002 }],
  ['mistral-tekken', 'gpt2', { pre: 'tekken', bos_token_id: 1, eos_token_id: 2 }],
  ['bert-uncased', 'bert', BERT],
]

for (const [name, model, keys] of TOKENIZERS) {
  const isLarge = LARGE_FIXTURES.includes(name)
  test.skipIf(isLarge && !fixturesFolder)(
    `${name} as a GGUF of model ${model} gives the ids and texts of the reference${isLarge ? ' (needs FORETOKEN_FIXTURES)' : ''}`,
    { timeout: 120_000 },
    () => {
      const { json, expected } = readTokenizerFixture(name)
      const tokenizer = tokenizerFromGguf(ggufMetadataFrom(json, model, keys))
      expect(tokenizer.vocabularySize).toBe(expected.vocabularySize)
      for (const { name: caseName, text, ids, idsWithSpecial = ids, decoded } of expected.cases) {
        const found = [...tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: true })]
        const withSpecial = [...tokenizer.encode(text, { parseSpecialTokens: true })]
        expect({ caseName, found, withSpecial, decoded: tokenizer.decode(ids) }).toEqual({
          caseName,
          found: ids,
          withSpecial: idsWithSpecial,
          decoded,
        })
      }
    },
  )
}

/** Mistral's tokenizer file puts no space before a text that begins with one; SentencePiece and GGUF always do. */
interface MistralCase extends TokenizerCase {
  readonly otherImplementation?: readonly number[]
}

test.skipIf(!fixturesFolder)('mistral-v3 as a GGUF gives the ids of SentencePiece (needs FORETOKEN_FIXTURES)', () => {
  const { json, expected } = readTokenizerFixture('mistral-v3')
  const tokenizer = tokenizerFromGguf(ggufMetadataFrom(json, 'llama', SPM))
  const cases: readonly MistralCase[] = expected.cases
  let compared = 0
  for (const { name, text, ids, otherImplementation = ids } of cases) {
    // What follows a special token gets a space in front as well; SentencePiece knows no special tokens in a text.
    if (ids.some((id) => tokenizer.isSpecial(id))) continue
    const found = [...tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: true })]
    expect({ name, found }).toEqual({ name, found: otherImplementation })
    compared += 1
  }
  expect(compared).toBeGreaterThan(155)
})
