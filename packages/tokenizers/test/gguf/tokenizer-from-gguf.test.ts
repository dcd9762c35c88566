import { expect, test } from 'vitest'
import { tokenizerFromGguf } from '../../src/gguf/tokenizer-from-gguf.ts'
import type { GgufMetadataValue } from '../../src/gguf/tokenizer-metadata.ts'

type Keys = Readonly<Record<string, GgufMetadataValue | undefined>>

/** Keys of `tokenizer.ggml`; undefined takes one away. */
function metadata(base: Keys, changes: Keys = {}): Map<string, GgufMetadataValue> {
  const map = new Map<string, GgufMetadataValue>()
  for (const [key, value] of Object.entries({ ...base, ...changes })) {
    if (value !== undefined) map.set(key.startsWith('tokenizer.') ? key : `tokenizer.ggml.${key}`, value)
  }
  return map
}

const BPE: Keys = {
  model: 'gpt2',
  pre: 'gpt-2',
  tokens: ['<s>', '</s>', 'a', 'b', 'ab', 'Ġ', '<tool>'],
  token_type: [3, 3, 1, 1, 1, 1, 4],
  merges: ['a b'],
  bos_token_id: 0,
  eos_token_id: 1n,
}
const SPM: Keys = {
  model: 'llama',
  tokens: ['<unk>', '<s>', '</s>', '<0x41>', '▁', 'a', '▁a'],
  token_type: [2, 3, 3, 6, 1, 1, 1],
  scores: [0, 0, 0, 0, -2, -3, -1],
  bos_token_id: 1,
  eos_token_id: 2,
  unknown_token_id: 0,
}

test('a byte-level vocabulary encodes, decodes and names its special tokens', () => {
  const tokenizer = tokenizerFromGguf(metadata(BPE))
  expect([...tokenizer.encode('ab a')]).toEqual([4, 5, 2])
  expect(tokenizer.decode([4, 5, 2])).toBe('ab a')
  expect(tokenizer.specialTokens).toEqual({ beginningOfText: 0, endOfText: [1] })
  expect([0, 1, 2, 6].map((id) => tokenizer.isSpecial(id))).toEqual([true, true, false, false])
})

test('user-defined tokens are found in any text, control tokens only where that is asked for', () => {
  const tokenizer = tokenizerFromGguf(metadata(BPE, { tokens: ['<s>', '</s>', 'a', 'b', 'ab', 's', '<tool>'] }))
  expect([...tokenizer.encode('a<tool><s>')]).toEqual([2, 6, 5])
  expect([...tokenizer.encode('a<tool><s>', { parseSpecialTokens: true })]).toEqual([2, 6, 0])
})

test('scores decide which pair merges first, and a byte stands in for an unknown character', () => {
  const tokenizer = tokenizerFromGguf(metadata(SPM))
  expect([...tokenizer.encode('a A')]).toEqual([1, 6, 4, 3])
  expect(tokenizer.decode([6, 4, 3])).toBe('a A')
})

test('add_space_prefix, add_bos_token and add_eos_token are followed', () => {
  const tokenizer = tokenizerFromGguf(metadata(SPM, { add_space_prefix: false, add_bos_token: false, add_eos_token: true }))
  expect([...tokenizer.encode('a')]).toEqual([5, 2])
})

test('the end of a text and the end of a turn both end a text', () => {
  expect(tokenizerFromGguf(metadata(BPE, { eot_token_id: 6, eom_token_id: 1 })).specialTokens.endOfText).toEqual([1, 6])
})

test('an id with all bits set means that there is no such token', () => {
  expect(tokenizerFromGguf(metadata(BPE, { bos_token_id: 0xffff_ffff })).specialTokens.beginningOfText).toBeUndefined()
})

test('chat templates are found with and without a name', () => {
  const templates = { 'tokenizer.chat_template': '{{ bos_token }}D', 'tokenizer.chat_template.tool_use': 'T' }
  const { chatTemplate } = tokenizerFromGguf(metadata(BPE, templates))
  const messages = [{ role: 'user', content: 'a' }]
  expect(chatTemplate?.render(messages)).toBe('<s>D')
  expect(chatTemplate?.render(messages, { tools: [] })).toBe('T')
  expect([...(chatTemplate?.encode([{ role: 'user', content: '' }]) ?? [])][0]).toBe(0)
})

test('200,000 tokens with as many merges take time in proportion to their number', () => {
  const letters = Array.from({ length: 448 }, (_, index) => String.fromCodePoint(0x4e00 + index))
  const pairs = letters.flatMap((left) => letters.map((right) => [left, right] as const)).slice(0, 200_000)
  const tokens = [...letters, ...pairs.map(([left, right]) => left + right)]
  const tokenizer = tokenizerFromGguf(
    metadata({ model: 'gpt2', pre: 'gpt-2', tokens, merges: pairs.map(([left, right]) => `${left} ${right}`) }),
  )
  expect(tokenizer.vocabularySize).toBe(200_448)
})

const FORMAT = 'tokenizer-format'
const UNSUPPORTED = 'tokenizer-unsupported'

test.each<[string, Keys, Keys, string, RegExp]>([
  ['no model', BPE, { model: undefined }, FORMAT, /tokenizer\.ggml\.model: found nothing, expected one of gpt2, llama, bert, t5/],
  ['an unknown model', BPE, { model: 'rwkv' }, UNSUPPORTED, /"rwkv", expected one of gpt2, llama, bert, t5/],
  [
    'an unknown pre-tokenizer',
    BPE,
    { pre: 'nonsense' },
    UNSUPPORTED,
    /"nonsense", expected one of .*deepseek-llm.*llama-bpe.*qwen2.*smollm/,
  ],
  ['no tokens', BPE, { tokens: undefined }, FORMAT, /tokenizer\.ggml\.tokens: found nothing/],
  ['an empty list of tokens', BPE, { tokens: [], token_type: [] }, FORMAT, /at least one token/],
  ['tokens that are not a list', BPE, { tokens: 'a' }, FORMAT, /tokenizer\.ggml\.tokens: found "a", expected a list/],
  ['a token that is not text', BPE, { tokens: ['a', 1] }, FORMAT, /tokenizer\.ggml\.tokens\[1\]: found 1, expected text/],
  ['a token twice', BPE, { tokens: ['<s>', '</s>', 'a', 'b', 'ab', 'Ġ', 'a'] }, FORMAT, /tokens\[6\]: found "a", as at 2/],
  ['fewer types than tokens', BPE, { token_type: [3, 3, 1] }, FORMAT, /token_type: found "3 elements", expected 7/],
  ['more types than tokens', BPE, { token_type: [3, 3, 1, 1, 1, 1, 1, 1] }, FORMAT, /token_type: found "8 elements", expected 7/],
  ['a type that does not exist', BPE, { token_type: [3, 3, 1, 1, 1, 1, 7] }, FORMAT, /token_type\[6\]: found 7/],
  ['a type that is not a number', BPE, { token_type: [3, 3, 1, 1, 1, 1, 'x'] }, FORMAT, /token_type\[6\]: found "x"/],
  ['fewer scores than tokens', SPM, { scores: [0] }, FORMAT, /scores: found "1 elements", expected 7/],
  ['no scores', SPM, { scores: undefined }, FORMAT, /tokenizer\.ggml\.scores: found nothing/],
  ['a score that is no number', SPM, { scores: [0, 0, 0, 0, 0, 0, Number.NaN] }, FORMAT, /scores\[6\]/],
  [
    'the byte token <0x-1>',
    SPM,
    { tokens: ['<unk>', '<s>', '</s>', '<0x-1>', '▁', 'a', '▁a'] },
    FORMAT,
    /tokens\[3\]: found "<0x-1>", expected a byte/,
  ],
  [
    'the byte token <0xZZ>',
    SPM,
    { tokens: ['<unk>', '<s>', '</s>', '<0xZZ>', '▁', 'a', '▁a'] },
    FORMAT,
    /tokens\[3\]: found "<0xZZ>", expected a byte/,
  ],
  ['no merges', BPE, { merges: undefined }, FORMAT, /tokenizer\.ggml\.merges: found nothing/],
  ['a merge of an unknown token', BPE, { merges: ['a b', 'a x'] }, FORMAT, /merges\[1\]: found "a x", expected two tokens/],
  ['a merge into an unknown token', BPE, { merges: ['b a'] }, FORMAT, /merges\[0\]: found "b a"/],
  ['a merge of one token', BPE, { merges: ['ab'] }, FORMAT, /merges\[0\]: found "ab"/],
  ['a special token beyond the vocabulary', BPE, { eos_token_id: 7 }, FORMAT, /eos_token_id: found 7, expected an id below 7/],
  ['a special token that is not a number', BPE, { bos_token_id: 'x' }, FORMAT, /bos_token_id: found "x"/],
  ['a flag that is not one', SPM, { add_bos_token: 1 }, FORMAT, /add_bos_token: found 1, expected true or false/],
  ['a chat template that is not text', BPE, { 'tokenizer.chat_template': 1 }, FORMAT, /chat_template: found 1, expected text/],
  [
    'a character map with a number that is no byte',
    { ...SPM, model: 't5' },
    { precompiled_charsmap: [1, 256] },
    FORMAT,
    /charsmap\[1\]: found 256/,
  ],
])('%s: refused, and the message says where', (_name, base, changes, code, message) => {
  expect(() => tokenizerFromGguf(metadata(base, changes))).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  )
})
