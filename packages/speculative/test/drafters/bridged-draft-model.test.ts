/** Drafts from another tokenizer: with partial characters, and with tokens that merge over the border of output and draft. */
import { generateText, type SingleGenerationOptions } from '@foretoken/generation'
import { describe, expect, test } from 'vitest'
import { bridgedDraftModel } from '../../src/drafters/bridged-draft-model.ts'
import { bridgeOutput, continueInTokens } from '../../src/text-bridge.ts'
import { hashModel } from '../fakes/hash-model.ts'
import { mergingTokenizer } from '../fakes/merging-tokenizer.ts'
import { scriptModel } from '../fakes/script-model.ts'
import { watchedModel } from '../fakes/watched-model.ts'

const SCRIPT =
  'Um céu azul 🌊 e a luz. The light of the sea 日本語 is blue, and the sea is the light of the sky. O céu é azul 🌊🌊, the end of the light.'
const TOKENIZERS = {
  bytes: mergingTokenizer(),
  words: mergingTokenizer([' the', ' light', ' of', 'The', ' sea', ' céu', 'ul', '🌊', ' is', ' b', 'lue']),
  pieces: mergingTokenizer([' t', 'he', 'li', 'ght', '日本', ' 🌊', 'az', 'e ', ' th', 'light of']),
}
const PAIRS = Object.entries(TOKENIZERS).flatMap(([target, own]) =>
  Object.entries(TOKENIZERS).flatMap(([draft, other]) => (target === draft ? [] : [[target, draft, own, other] as const])),
)
const OPTIONS: readonly SingleGenerationOptions[] = [
  {},
  { sampling: { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 2 } },
  { repetitionPenalty: 1.1 },
]

describe.each(PAIRS)('a model of %s with a draft of %s', (_target, _draft, own, other) => {
  test('writes what it writes without, in fewer steps, and closes the cache of the draft', async () => {
    const lm = scriptModel(own, SCRIPT)
    const prompt = own.encode(SCRIPT).slice(0, 3)
    for (const options of OPTIONS) {
      const all = { speculate: 'off' as const, tokens: prompt, maxNewTokens: 70, ...options }
      const plain = await generateText(lm, all)
      const draft = watchedModel(scriptModel(other, SCRIPT))
      const drafted = await generateText(lm, { ...all, speculate: bridgedDraftModel(draft) })
      expect(drafted.ids).toEqual(plain.ids)
      expect(drafted.text).toBe(plain.text)
      expect(drafted.statistics.speculation?.tokensPerStep).toBeGreaterThan(1.5)
      expect(draft.open.size).toBe(0)
    }
  })

  test('is not led astray by a draft that is lost, or that knows another text', async () => {
    const lm = scriptModel(own, SCRIPT)
    const all = { speculate: 'off' as const, tokens: own.encode(SCRIPT).slice(0, 5), maxNewTokens: 60 }
    const plain = await generateText(lm, all)
    const lost = scriptModel(other, SCRIPT, { wanders: 3 })
    const elsewhere = scriptModel(other, 'Something else altogether 🦜, and the sea.')
    for (const draft of [lost, elsewhere, scriptModel(other, SCRIPT, { maxPositions: 30 })]) {
      expect((await generateText(lm, { ...all, speculate: bridgedDraftModel(draft) })).ids).toEqual(plain.ids)
    }
  })
})

test('a character that is begun is completed, and not begun again', () => {
  const { bytes, words } = TOKENIZERS
  const wave = new TextEncoder().encode('🌊')
  const tokens = Int32Array.of(...bytes.encode('a '), wave[0] ?? 0, wave[1] ?? 0)
  const output = bridgeOutput(bytes, words)
  output.read(tokens)
  expect(output.hasPartialCharacter).toBe(true)
  expect(words.decode(output.ids())).toBe('a ')
  expect([...continueInTokens(bytes, tokens, '🌊!', true)]).toEqual([wave[2], wave[3], 33])
  expect([...continueInTokens(bytes, tokens, 'b', true)]).toEqual([])
})

test('where output and draft would merge, the draft is encoded by itself', () => {
  const { words } = TOKENIZERS
  // " li" was output letter by letter; " light" is one token
  const tokens = Int32Array.from(new TextEncoder().encode('a li'))
  expect([...continueInTokens(words, tokens, 'ght of', false)]).toEqual([...words.encode('ght'), ...words.encode(' of')])
  expect([...continueInTokens(words, words.encode('a light'), ' of', false)]).toEqual([...words.encode(' of')])
})

test('a long output is settled piece by piece, and its tokens stay those of its text', () => {
  const { bytes, words } = TOKENIZERS
  const output = bridgeOutput(bytes, words)
  const text = SCRIPT.repeat(20)
  const tokens = bytes.encode(text)
  for (let length = 50; length < tokens.length; length += 50) {
    output.read(tokens.subarray(0, length))
    const expected = new TextDecoder().decode(Uint8Array.from(tokens.subarray(0, length)), { stream: true })
    expect(words.decode(output.ids())).toBe(expected)
  }
})

test('a model without a tokenizer is refused, and wrong options are', async () => {
  const lm = hashModel({ vocab: 300 })
  const draft = scriptModel(TOKENIZERS.bytes, SCRIPT)
  await expect(generateText(lm, { tokens: [1], speculate: bridgedDraftModel(draft) })).rejects.toMatchObject({ code: 'vocabulary' })
  await expect(generateText(draft, { tokens: [1], speculate: bridgedDraftModel(lm) })).rejects.toMatchObject({ code: 'vocabulary' })
  expect(() => bridgedDraftModel(draft, { draftTokens: 0 })).toThrow(expect.objectContaining({ code: 'argument' }))
})
