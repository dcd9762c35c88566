/** Single rows of several sequences run together and give the bits that each gives alone. */
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KvCache, sharesRows } from '@foretoken/kv-cache'
import { loadWasmRuntime, type Runtime } from '@foretoken/runtime'
import { describe, expect, test } from 'vitest'
import { type CausalLM, type DecodeStep, loadCausalLM, type StepResult, type WeightFormat } from '../../src/index.ts'
import { tinyPair, writeAdapter } from '../adapters/tiny-adapter.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'

const wasm = await loadWasmRuntime({ threads: 2 })
const names = readdirSync(new URL('../fixtures/checkpoints/', import.meta.url)).sort()

/** Below the smallest vocabulary of the fixtures. */
const TOKENS = 240

async function open(name: string, format: WeightFormat, runtime?: Runtime): Promise<CausalLM> {
  const { folder } = await checkpointFixture(name)
  return loadCausalLM(folder, runtime === undefined ? { format } : { format, runtime })
}

/** A sequence twice: one cache runs with others, the other by itself. */
interface Twins {
  readonly together: KvCache
  readonly alone: KvCache
}

const want = { logits: 'last' } as const

/** Where a learned table of positions ends they begin anew: what is compared does not mind. */
function nextPositions(lm: CausalLM, cache: KvCache, rows: number): Int32Array {
  const { modelType, maxPositions } = lm.config
  const end = ['gpt2', 'gpt_neo', 'opt'].includes(modelType) ? maxPositions : Number.MAX_SAFE_INTEGER
  return Int32Array.from({ length: rows }, (_, row) => (cache.length + row) % end)
}

function rowAfter(lm: CausalLM, cache: KvCache, token: number): DecodeStep {
  return { tokens: Int32Array.of(token % TOKENS), positions: nextPositions(lm, cache, 1), cache, want }
}

async function sequence(lm: CausalLM, length: number, seed: number): Promise<Twins> {
  const together = lm.createCache()
  while (together.length < length) {
    const rows = Math.min(length - together.length, lm.maxSteps(together))
    const tokens = Int32Array.from({ length: rows }, (_, row) => ((together.length + row) * 37 + seed * 11) % TOKENS)
    together.append((await lm.forward({ tokens, positions: nextPositions(lm, together, rows), cache: together, want: {} })).rows)
  }
  return { together, alone: together.fork() }
}

function bits({ logits, rows }: StepResult) {
  return { logits: logits?.data, layers: rows.layers.map(({ keys, values }) => ({ keys, values })) }
}

/** One step of all of them, together and alone; both caches of each go on. */
async function compareStep(lm: CausalLM, all: readonly Twins[], seed: number): Promise<void> {
  const results = await lm.forwardBatch(all.map(({ together }, index) => rowAfter(lm, together, seed * 7 + index * 13)))
  for (const [index, { together, alone }] of all.entries()) {
    const one = await lm.forward(rowAfter(lm, alone, seed * 7 + index * 13))
    const result = results[index]
    if (result === undefined) throw new TypeError('no result')
    expect(bits(result), `sequence ${index} of ${alone.length} rows`).toEqual(bits(one))
    together.append(result.rows)
    alone.append(one.rows)
  }
}

/** Sequences of several lengths, two of which cross a cut on the way; one joins and one leaves. */
async function compareCourse(lm: CausalLM): Promise<void> {
  const all = await Promise.all([sequence(lm, 250, 1), sequence(lm, 3, 2), sequence(lm, 255, 3)])
  const [first] = all
  for (let step = 0; step < 4; step++) await compareStep(lm, all, step)
  // recurrent layers carry a state each
  expect(all.filter(({ together }) => sharesRows(together)).length > 1).toBe(lm.capabilities.sharedSteps)
  all.push(await sequence(lm, 40, 4))
  for (let step = 4; step < 8; step++) await compareStep(lm, all, step)
  expect(first?.alone.length).toBe(258)
  const [, gone] = all.splice(1, 1)
  await gone?.together[Symbol.asyncDispose]()
  for (let step = 8; step < 10; step++) await compareStep(lm, all, step)
}

describe.each(names)('%s', (name) => {
  test.each(['f32', 'int8', 'int8-rows', 'int4'] as const)('in %s: rows are the same bits together and alone', async (format) => {
    await using lm = await open(name, format)
    await compareCourse(lm)
  })

  test('on wasm: rows are the same bits together and alone', async () => {
    await using lm = await open(name, 'f32', wasm)
    await compareCourse(lm)
  })
})

test.each(['int8', 'int8-rows', 'int4'] as const)('rows in %s on wasm are the same bits together and alone', async (format) => {
  await using lm = await open('llama', format, wasm)
  await compareCourse(lm)
})

describe('a shared step', () => {
  test('of sequences with past behind their windows gives the bits of each alone', async () => {
    for (const name of ['mistral', 'gemma2', 'gpt_oss', 'cohere2']) {
      await using lm = await open(name, 'f32')
      const all = await Promise.all([sequence(lm, 515, 1), sequence(lm, 260, 2), sequence(lm, 600, 3), sequence(lm, 511, 4)])
      for (let step = 0; step < 4; step++) await compareStep(lm, all, step)
    }
  })

  test('gives what was wanted: top-k and hidden states of each row', async () => {
    await using lm = await open('llama', 'f32')
    const all = [await sequence(lm, 5, 1), await sequence(lm, 9, 2)]
    const wants = { topK: 3, hidden: [1, 'final'] as const }
    const step = (cache: KvCache, index: number) => ({ ...rowAfter(lm, cache, index), want: wants })
    const results = await lm.forwardBatch(all.map(({ together }, index) => step(together, index)))
    for (const [index, { together, alone }] of all.entries()) {
      expect(sharesRows(together)).toBe(true)
      const one = await lm.forward(step(alone, index))
      expect(results[index]?.topK).toEqual(one.topK)
      expect(results[index]?.hidden?.map(({ dims, data }) => [dims, data])).toEqual(one.hidden?.map(({ dims, data }) => [dims, data]))
    }
  })

  test('takes embeddings', async () => {
    await using lm = await open('llama', 'f32')
    const all = [await sequence(lm, 5, 1), await sequence(lm, 9, 2)]
    const embedding = (index: number) => Float32Array.from({ length: lm.config.hidden }, (_, at) => Math.sin(at * (index + 1)))
    const results = await lm.forwardBatch(all.map(({ together }, index) => ({ tokens: embedding(index), cache: together, want })))
    for (const [index, { together, alone }] of all.entries()) {
      expect(sharesRows(together)).toBe(true)
      const one = await lm.forward({ tokens: embedding(index), cache: alone, want })
      expect(results[index]?.logits?.data).toEqual(one.logits?.data)
    }
  })

  test('is one of sequences with the same scales of adapters', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shared-'))
    try {
      const path = await writeAdapter(folder, [tinyPair('model.layers.0.self_attn.q_proj', [64, 64], 2, 1)])
      const { folder: source } = await checkpointFixture('llama')
      await using lm = await loadCausalLM(source, { format: 'f32', adapters: [{ name: 'one', path, mode: 'runtime' }] })
      const all = await Promise.all([1, 2, 3, 4, 5].map((seed) => sequence(lm, 20 + seed, seed)))
      const adapters = (index: number) => ({ adapters: { one: [2, -1, 2, -1, 0][index] ?? 1 } })
      const step = (cache: KvCache, index: number) => ({ ...rowAfter(lm, cache, 7), ...adapters(index) })
      const results = await lm.forwardBatch(all.map(({ together }, index) => step(together, index)))
      expect(all.map(({ together }) => sharesRows(together))).toEqual([true, true, true, true, false])
      for (const [index, { alone }] of all.entries()) {
        const one = await lm.forward(step(alone, index))
        expect(results[index]?.logits?.data).toEqual(one.logits?.data)
        const unscaled = await lm.forward(rowAfter(lm, alone, 7))
        expect(one.logits?.data).not.toEqual(unscaled.logits?.data)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('is not disturbed by an abort or a wrong step of another sequence', async () => {
    await using lm = await open('llama', 'int8-rows')
    const all = await Promise.all([1, 2, 3, 4].map((seed) => sequence(lm, 20 + seed, seed)))
    await compareStep(lm, all, 0)
    const [kept, aborted, wrong, other] = all
    if (kept === undefined || aborted === undefined || wrong === undefined || other === undefined) throw new TypeError('four sequences')
    const abort = new AbortController()
    const pending = [
      lm.forward(rowAfter(lm, kept.together, 1)),
      lm.forward({ ...rowAfter(lm, aborted.together, 2), signal: abort.signal }),
      lm.forward({ ...rowAfter(lm, wrong.together, 3), positions: Int32Array.of(-1) }),
      lm.forward(rowAfter(lm, other.together, 4)),
    ]
    abort.abort(new Error('enough'))
    const [one, two, three, four] = await Promise.allSettled(pending)
    expect(two).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
    expect(three).toMatchObject({ status: 'rejected', reason: { code: 'step' } })
    for (const [outcome, { alone, together }, token] of [[one, kept, 1] as const, [four, other, 4] as const]) {
      if (outcome?.status !== 'fulfilled') throw new TypeError('a result')
      const expected = await lm.forward(rowAfter(lm, alone, token))
      expect(bits(outcome.value)).toEqual(bits(expected))
      together.append(outcome.value.rows)
      alone.append(expected.rows)
    }
    // those that failed are as before, and go on
    await compareStep(lm, all, 5)
  })

  test('forms by itself when forward is called beside others', async () => {
    await using lm = await open('llama', 'f32')
    const all = await Promise.all([1, 2, 3].map((seed) => sequence(lm, 10 * seed, seed)))
    await Promise.all(
      all.map(async ({ together, alone }, index) => {
        for (let step = 0; step < 12; step++) {
          const token = step * 5 + index
          const result = await lm.forward(rowAfter(lm, together, token))
          together.append(result.rows)
          if (step > 0) expect(sharesRows(together)).toBe(true)
          const tokens = Int32Array.of(token % TOKENS, 1) // two rows: never shared
          const both = await lm.forward({ tokens, cache: alone, want: { logits: 'all' } })
          expect(result.logits?.data).toEqual(both.logits?.data.subarray(0, lm.config.vocab))
          alone.append(both.rows, [0])
        }
      }),
    )
  })

  test('counts the rows of its caches once, and lets go of them', async () => {
    await using lm = await open('llama', 'f32')
    const all = [await sequence(lm, 300, 1), await sequence(lm, 290, 2)]
    for (const { alone } of all) await alone[Symbol.asyncDispose]()
    const caches = all.map(({ together }) => together)
    await lm.forwardBatch(caches.map((cache) => rowAfter(lm, cache, 1)))
    const rowBytes = caches[0]?.layers.reduce((sum, { kvHeads, keyDim, valueDim }) => sum + 4 * kvHeads * (keyDim + valueDim), 0) ?? 0
    // two slots of a block and of a tail with room for 64 rows
    expect(lm.memory().cacheBytes).toBe(2 * (256 + 64) * rowBytes)
    // one of the two answers for all; forks that come in the place of the others do so as well
    const forks = caches.map((cache) => cache.fork())
    for (const cache of caches) await cache[Symbol.asyncDispose]()
    await lm.forwardBatch(forks.map((cache) => rowAfter(lm, cache, 1)))
    expect(lm.memory().cacheBytes).toBe(2 * (256 + 64) * rowBytes)
    for (const cache of forks) await cache[Symbol.asyncDispose]()
    expect(lm.memory().cacheBytes).toBe(0)
  })

  test('has each cache once, whatever is asked of it', async () => {
    await using lm = await open('llama', 'f32')
    const [{ together, alone }, other] = [await sequence(lm, 12, 1), await sequence(lm, 7, 2)]
    const results = await lm.forwardBatch([rowAfter(lm, together, 1), rowAfter(lm, together, 2), rowAfter(lm, other.together, 3)])
    for (const token of [1, 2]) {
      expect(results[token - 1]?.logits?.data).toEqual((await lm.forward(rowAfter(lm, alone, token))).logits?.data)
    }
  })
})
