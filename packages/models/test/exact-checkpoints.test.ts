import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CausalLM, loadCausalLM } from '../src/index.ts'
import { type CheckpointFixture, checkpointFixture, largestDifference } from './checkpoint-fixture.ts'
import { CHECKPOINTS } from './checkpoint-names.ts'
import { greedyTokens } from './greedy-tokens.ts'

const TOLERANCE = 1e-4

describe.each(CHECKPOINTS)('%s in float32', (name) => {
  let fixture: CheckpointFixture
  let lm: CausalLM
  beforeAll(async () => {
    fixture = await checkpointFixture(name)
    lm = await loadCausalLM(await fixture.open(), { format: 'f32' })
  })
  afterAll(() => lm[Symbol.asyncDispose]())

  async function logitsOf(row: number, chunk: number): Promise<Float32Array> {
    await using cache = lm.createCache()
    const tokens = Int32Array.from(fixture.inputIds[row] ?? [])
    const logits = new Float32Array(tokens.length * lm.config.vocab)
    for (let start = 0; start < tokens.length; start += chunk) {
      const result = await lm.forward({
        tokens: tokens.subarray(start, start + chunk),
        cache,
        want: { logits: 'all' },
        sequenceLength: tokens.length,
      })
      logits.set(result.logits?.data ?? [], start * lm.config.vocab)
      cache.append(result.rows)
    }
    return logits
  }

  test('rows of a step are the same bits alone and together', () => {
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
  })

  test('the logits of both sequences are those of the reference', async () => {
    const expected = await fixture.expected('logits')
    const perRow = expected.length / 2
    for (const row of [0, 1]) {
      expect(largestDifference(await logitsOf(row, 24), expected.subarray(row * perRow, (row + 1) * perRow))).toBeLessThan(TOLERANCE)
    }
  })

  test('prefill in chunks and token by token gives the logits of the reference', async () => {
    const expected = await fixture.expected('logits')
    const first = expected.subarray(0, expected.length / 2)
    expect(largestDifference(await logitsOf(0, 7), first)).toBeLessThan(TOLERANCE)
    expect(largestDifference(await logitsOf(0, 1), first)).toBeLessThan(TOLERANCE)
  })

  test('64 greedy tokens are those of the reference', async () => {
    // keys that were cached before a dynamic rope grew stay as they were turned
    const { prompt, ids, idsWithCache } = fixture.greedy
    expect(await greedyTokens(lm, prompt, ids.length)).toEqual(idsWithCache ?? ids)
  })

  test('hidden states are those of the reference', async () => {
    const expected = await fixture.expected('hidden_states')
    const { layers, hidden } = lm.config
    // the reference lists Mamba's from the output of the first layer on, others' from the embeddings
    const first = lm.config.modelType.includes('mamba') ? 1 : 0
    const indices = [...Array.from({ length: layers }, (_, index) => first + index), 'final' as const]
    const size = 24 * hidden
    for (const row of [0, 1]) {
      await using cache = lm.createCache()
      const result = await lm.forward({
        tokens: Int32Array.from(fixture.inputIds[row] ?? []),
        cache,
        want: { hidden: indices },
        sequenceLength: 24,
      })
      for (const [index, state] of (result.hidden ?? []).entries()) {
        const start = (index * 2 + row) * size
        expect(largestDifference(state.data, expected.subarray(start, start + size)), `hidden state ${index}`).toBeLessThan(TOLERANCE)
      }
    }
  })

  test('a sequence in a batch has the bits it has alone', async () => {
    await using first = lm.createCache()
    await using second = lm.createCache()
    await using alone = lm.createCache()
    const step = (row: number, cache: typeof first) => ({
      tokens: Int32Array.from(fixture.inputIds[row] ?? []),
      cache,
      want: { logits: 'all' as const },
    })
    const [together] = await lm.forwardBatch([step(0, first), step(1, second)])
    const single = await lm.forward(step(0, alone))
    expect(together?.logits?.data).toEqual(single.logits?.data)
  })
})

test('attention probabilities of llama are those of the reference', async () => {
  const fixture = await checkpointFixture('llama')
  await using lm = await loadCausalLM(await fixture.open(), { format: 'f32', selfTest: false })
  const expected = await fixture.expected('attentions') // [layers, 2, heads, 24, 24]
  const size = lm.config.heads * 24 * 24
  for (const row of [0, 1]) {
    await using cache = lm.createCache()
    const result = await lm.forward({ tokens: Int32Array.from(fixture.inputIds[row] ?? []), cache, want: { scores: 'all' } })
    for (const [layer, scores] of (result.scores ?? []).entries()) {
      expect(scores.dims).toEqual([lm.config.heads, 24, 24])
      const start = (layer * 2 + row) * size
      expect(largestDifference(scores.data, expected.subarray(start, start + size))).toBeLessThan(1e-5)
    }
  }
})

test('dynamic rope gives the logits of the shorter sequence where that is run', async () => {
  const fixture = await checkpointFixture('llama-rope-dynamic')
  await using lm = await loadCausalLM(await fixture.open(), { format: 'f32' })
  const expected = await fixture.expected('short_logits') // [2, 12, vocab]
  await using cache = lm.createCache()
  const result = await lm.forward({
    tokens: Int32Array.from(fixture.inputIds[0]?.slice(0, 12) ?? []),
    cache,
    want: { logits: 'all' },
    sequenceLength: 12,
  })
  expect(largestDifference(result.logits?.data ?? [], expected.subarray(0, expected.length / 2))).toBeLessThan(TOLERANCE)
})

test('without a format, a file of floats runs in float32 throughout', async () => {
  const fixture = await checkpointFixture('llama')
  await using lm = await loadCausalLM(await fixture.open())
  expect(lm.plan.formats).toEqual({ embedding: 'f32', cache: 'float32', linear: 'f32', head: 'f32' })
  const expected = await fixture.expected('logits')
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: Int32Array.from(fixture.inputIds[0] ?? []), cache, want: { logits: 'all' } })
  expect(largestDifference(logits?.data ?? [], expected.subarray(0, expected.length / 2))).toBeLessThan(TOLERANCE)
})
