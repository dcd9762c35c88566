/**
 * Prompts past the cut of the cache at 256 rows, past every window and past the length that a rope was scaled from, against the
 * reference in float64: prefill in uneven chunks, then single rows.
 */
import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../src/index.ts'
import { checkpointFixture } from './checkpoint-fixture.ts'
import { fixtureTensor, fixtureText } from './fixture-bytes.ts'

interface LongCase {
  readonly key: string
  readonly checkpoint: string
  readonly change: object
  readonly tokens: number
  readonly rows: readonly number[]
  /** What the reference itself loses in float32. */
  readonly float32: number
}

const cases: readonly LongCase[] = JSON.parse(await fixtureText('long-rows.json'))

/** As for short prompts; the reference's own float32 is within 4e-5 of its float64. */
const TOLERANCE = 1e-4
/** The last rows come one at a time. */
const SINGLE = 5
const CHUNKS = [100, 156, 3, 41, 256]

describe.each(cases)('$key tokens', ({ key, checkpoint, change, tokens: length, rows }) => {
  test('the logits are those of the reference, in chunks and row by row', async () => {
    const { open } = await checkpointFixture(checkpoint)
    await using lm = await loadCausalLM(await open(change), { format: 'f32', selfTest: false })
    await using cache = lm.createCache()
    const { vocab } = lm.config
    const tokens = tokensOf(length, vocab)

    const logits = new Float32Array(length * vocab)
    for (let start = 0, turn = 0; start < length; turn++) {
      const chunk = start >= length - SINGLE ? 1 : (CHUNKS[turn % CHUNKS.length] ?? 1)
      const end = Math.min(start + chunk, start >= length - SINGLE ? length : length - SINGLE)
      const result = await lm.forward({ tokens: tokens.subarray(start, end), cache, want: { logits: 'all' }, sequenceLength: length })
      logits.set(result.logits?.data ?? [], start * vocab)
      cache.append(result.rows)
      start = end
    }

    const expectedRows = await fixtureTensor('long-rows.safetensors', `${key}.rows`) // [rows, vocab]
    const expectedSamples = await fixtureTensor('long-rows.safetensors', `${key}.samples`) // [tokens]
    const wrong: string[] = []
    const compare = (row: number, token: number, expected: number | undefined) => {
      const difference = Math.abs((logits[row * vocab + token] ?? Number.NaN) - (expected ?? Number.NaN))
      if (!(difference < TOLERANCE)) wrong.push(`row ${row}, token ${token}: ${difference}`)
    }
    rows.forEach((row, at) => {
      for (let token = 0; token < vocab; token++) compare(row, token, expectedRows[at * vocab + token])
    })
    for (let row = 0; row < length; row++) compare(row, (7 * row) % vocab, expectedSamples[row])
    expect(wrong.slice(0, 5)).toEqual([])
  })
})

/** As `make-long.py` draws them. */
function tokensOf(count: number, vocab: number): Int32Array {
  let state = 1
  return Int32Array.from({ length: count }, () => {
    state = (48271 * state) % 2147483647
    return 3 + (state % (vocab - 3))
  })
}
