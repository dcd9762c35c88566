import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GPT2_PATTERN } from '../../src/patterns/known-patterns.ts'
import { findAllLinear } from '../../src/patterns/linear-matcher.ts'
import { compileLinearProgram } from '../../src/patterns/linear-program.ts'
import { parsePattern } from '../../src/patterns/parse-pattern.ts'
import { compilePattern } from '../../src/patterns/text-pattern.ts'
import { tokenizerFromJson } from '../../src/tokenizer-from-json.ts'
import { fixturesFolder, LARGE_FIXTURES, readTokenizerFixture, SMALL_FIXTURES } from '../tokenizer-fixture.ts'

/**
 * Times of encoding 100 kB of English (best of five) and a megabyte of one letter, for every fixture tokenizer, and of both pattern engines.
 * From the workspace root: FORETOKEN_FIXTURES=… node -C foretoken-source packages/tokenizers/test/benchmarks/encode.ts
 */
function elapsedMs(work: () => unknown): number {
  const start = performance.now()
  work()
  return Math.round(performance.now() - start)
}

const corpus: string = JSON.parse(readFileSync(join(fixturesFolder ?? '', 'tokenizers/training-corpus.json'), 'utf8')).lines.join('\n')
const english = corpus.repeat(Math.ceil(100_000 / corpus.length)).slice(0, 100_000)
const letters = 'a'.repeat(1_000_000)

for (const name of [...SMALL_FIXTURES, ...LARGE_FIXTURES]) {
  const { json } = readTokenizerFixture(name)
  const tokenizer = tokenizerFromJson(json)
  const loadMs = elapsedMs(() => tokenizerFromJson(json))
  const encodeMs = Math.min(...Array.from({ length: 5 }, () => elapsedMs(() => tokenizer.encode(english))))
  const ids = tokenizer.encode(english)
  const decodeMs = Math.min(...Array.from({ length: 5 }, () => elapsedMs(() => tokenizer.decode(ids))))
  console.log({ name, loadMs, encodeMs, decodeMs, oneLetterMs: elapsedMs(() => tokenizer.encode(letters)) })
}

const native = compilePattern(GPT2_PATTERN, 'benchmark')
const program = compileLinearProgram(parsePattern(GPT2_PATTERN, 'benchmark'), 'benchmark')
const best = (work: () => unknown) => Math.min(...Array.from({ length: 5 }, () => elapsedMs(work)))
console.log({ pattern: 'GPT-2', nativeMs: best(() => native.findAll(english)), linearMs: best(() => findAllLinear(program, english)) })
