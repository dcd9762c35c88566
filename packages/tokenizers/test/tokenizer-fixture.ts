import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** One text and what the reference says about it. */
export interface TokenizerCase {
  readonly name: string
  readonly text: string
  /** Without special tokens added. */
  readonly ids: number[]
  /** With them, where they differ. */
  readonly idsWithSpecial?: number[]
  readonly tokens?: string[]
  readonly decoded: string
  readonly decodedSkipSpecial?: string
}

export interface TokenizerFixture {
  readonly json: unknown
  readonly expected: { readonly model: string; readonly vocabularySize: number; readonly cases: readonly TokenizerCase[] }
}

/** Small tokenizers of every model type, in this package. */
export const SMALL_FIXTURES = [
  'trained-bpe-bytes',
  'trained-spm-bpe-bytes',
  'trained-spm-unigram',
  'trained-spm-unigram-bytes',
  'trained-unigram',
  'trained-wordpiece',
]

/** Tokenizers of real models, in the shared fixtures. */
export const LARGE_FIXTURES = ['bert-uncased', 'gpt-oss', 'gpt2', 'mistral-tekken', 'mistral-v3', 'qwen3', 'smollm2']

export const fixturesFolder = process.env.FORETOKEN_FIXTURES

export function readTokenizerFixture(name: string): TokenizerFixture {
  const folder = SMALL_FIXTURES.includes(name)
    ? join(import.meta.dirname, 'fixtures/tokenizers', name)
    : join(fixturesFolder ?? '', 'tokenizers', name)
  return { json: readJson(join(folder, 'tokenizer.json')), expected: readJson(join(folder, 'expected.json')) }
}

/** JSON.parse returns `any`; what a fixture holds is agreed with the script that made it. */
function readJson(path: string) {
  return JSON.parse(existsSync(path) ? readFileSync(path, 'utf8') : gunzipSync(readFileSync(`${path}.gz`)).toString('utf8'))
}
