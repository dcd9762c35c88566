import { describe, expect, test } from 'vitest'
import { HARMLESS_PATTERNS } from '../src/patterns/known-patterns.ts'
import type { PipelineTokenizer } from '../src/pipeline.ts'
import { tokenizerFromJson } from '../src/tokenizer-from-json.ts'
import { fixturesFolder, LARGE_FIXTURES, readTokenizerFixture, SMALL_FIXTURES, type TokenizerFixture } from './tokenizer-fixture.ts'

// The reference always parses special tokens that are written out.
const PARSED = { parseSpecialTokens: true }

function differences({ json, expected }: TokenizerFixture): string[] {
  const tokenizer = tokenizerFromJson(json)
  const different: string[] = []
  const compare = (name: string, found: unknown, wanted: unknown) => {
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      different.push(`${name}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`)
  }
  for (const { name, text, ids, idsWithSpecial = ids, tokens, decoded, decodedSkipSpecial = decoded } of expected.cases) {
    compare(`${name}, ids`, [...tokenizer.encode(text, { addSpecialTokens: false, ...PARSED })], ids)
    compare(`${name}, ids with special tokens`, [...tokenizer.encode(text, PARSED)], idsWithSpecial)
    compare(`${name}, decoded`, tokenizer.decode(ids), decoded)
    compare(`${name}, decoded without special tokens`, tokenizer.decode(idsWithSpecial, { skipSpecialTokens: true }), decodedSkipSpecial)
    compare(`${name}, streamed`, streamed(tokenizer, ids), decoded)
    // A Unigram of the reference reports the text of an unknown token instead of the token.
    if (tokens !== undefined && expected.model !== 'Unigram') compare(`${name}, tokens`, ids.map(tokenizer.tokenOf), tokens)
  }
  return different
}

function streamed(tokenizer: PipelineTokenizer, ids: readonly number[]): string {
  const stream = tokenizer.stream()
  return ids.map((id) => stream.push(id)).join('') + stream.flush()
}

describe('every id and every decoded text is that of the reference', () => {
  test.each(SMALL_FIXTURES)('%s', (name) => {
    const fixture = readTokenizerFixture(name)
    expect(differences(fixture)).toEqual([])
    expect(tokenizerFromJson(fixture.json).vocabularySize).toBe(fixture.expected.vocabularySize)
  })

  test.skipIf(fixturesFolder === undefined).each(LARGE_FIXTURES)('%s (needs FORETOKEN_FIXTURES)', (name) => {
    const fixture = readTokenizerFixture(name)
    expect(differences(fixture)).toEqual([])
    expect(tokenizerFromJson(fixture.json).vocabularySize).toBe(fixture.expected.vocabularySize)
  })
})

test.skipIf(fixturesFolder === undefined)('the patterns of real tokenizers run in the native engine (needs FORETOKEN_FIXTURES)', () => {
  const patterns = ['gpt-oss', 'qwen3', 'mistral-tekken'].map(
    (name) => JSON.stringify(readTokenizerFixture(name).json).match(/"Regex":("(?:[^"\\]|\\.)*")/)?.[1],
  )
  for (const pattern of patterns) expect(HARMLESS_PATTERNS).toContain(JSON.parse(pattern ?? '""'))
})

test('text with each special token written out has no special id unless it is asked for', () => {
  for (const name of SMALL_FIXTURES) {
    const { json } = readTokenizerFixture(name)
    const tokenizer = tokenizerFromJson(json)
    const specials = Array.from({ length: tokenizer.vocabularySize }, (_, id) => id).filter(tokenizer.isSpecial)
    expect(specials.length).toBeGreaterThan(0)
    for (const id of specials) {
      const token = tokenizer.tokenOf(id) ?? ''
      for (const text of [token, `a${token}b`, ` ${token} `, `${token}${token}`, `\n${token}\n`]) {
        const ids = [...tokenizer.encode(text, { addSpecialTokens: false })]
        // The token for what cannot be expressed may be there, but not because its name is.
        const unknown = ['<unk>', '[UNK]'].map(tokenizer.idOf)
        expect(ids.filter((found) => tokenizer.isSpecial(found) && !unknown.includes(found))).toEqual([])
        expect([...tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: true })]).toContain(id)
      }
    }
  }
})
