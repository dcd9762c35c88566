/** The tiny checkpoints as optimum and the builder of onnxruntime-genai export them: the logits and tokens of the reference. */
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadWasmRuntime, type Runtime } from '@foretoken/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CausalLM, loadCausalLM } from '../../src/index.ts'
import { type CheckpointFixture, checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { greedyTokens } from '../greedy-tokens.ts'
import { writeKeptExport } from './kept-export.ts'

const TOLERANCE = 1e-4
/** Exports that lack something of the model, or that end early: tested by themselves, below. */
const INCOMPLETE = ['optimum-llama-rope-dynamic', 'optimum-phi3-longrope', 'genai-phi3-longrope', 'genai-mistral']

const names = readdirSync(new URL('../fixtures/exported/', import.meta.url))
  .filter((file) => file.endsWith('.onnx.gz'))
  .map((file) => file.replace('.onnx.gz', ''))
  .sort()

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'real-exporters-'))
})
afterAll(() => rm(root, { recursive: true }))

async function open(name: string, runtime?: Runtime): Promise<{ lm: CausalLM; fixture: CheckpointFixture }> {
  const [exporter = '', checkpoint = ''] = name.split(/-(.*)/)
  const folder = join(root, name)
  await writeKeptExport(exporter, checkpoint, folder)
  return { lm: await loadCausalLM(folder, runtime === undefined ? {} : { runtime }), fixture: await checkpointFixture(checkpoint) }
}

async function allLogits(lm: CausalLM, tokens: readonly number[], chunk = tokens.length): Promise<Float32Array> {
  await using cache = lm.createCache()
  const logits = new Float32Array(tokens.length * lm.config.vocab)
  for (let start = 0; start < tokens.length; start += chunk) {
    const step = { tokens: Int32Array.from(tokens.slice(start, start + chunk)), cache, want: { logits: 'all' as const } }
    const result = await lm.forward(step)
    logits.set(result.logits?.data ?? [], start * lm.config.vocab)
    cache.append(result.rows)
  }
  return logits
}

describe.each(names.filter((name) => !INCOMPLETE.includes(name)))('%s', (name) => {
  let lm: CausalLM
  let fixture: CheckpointFixture
  beforeAll(async () => {
    ;({ lm, fixture } = await open(name))
  })
  afterAll(() => lm[Symbol.asyncDispose]())

  // a merged decoder takes one row after cached ones
  test.each(name.startsWith('merged-') ? [24, 1] : [24, 7, 1])(
    'in steps of %i rows the logits are those of the reference',
    async (chunk) => {
      const expected = await fixture.expected('logits')
      for (const [row, tokens] of fixture.inputIds.entries()) {
        const own = expected.subarray((row * expected.length) / 2, ((row + 1) * expected.length) / 2)
        expect(largestDifference(await allLogits(lm, tokens, chunk), own)).toBeLessThan(TOLERANCE)
      }
    },
  )

  test('64 greedy tokens are those of the reference', async () => {
    const { prompt, ids } = fixture.greedy
    expect(await greedyTokens(lm, prompt, ids.length)).toEqual(ids)
  })
})

test.each(['optimum-gemma2', 'optimum-qwen3_moe', 'genai-llama', 'genai-gemma2', 'merged-bloom'])('%s on wasm', async (name) => {
  const { lm, fixture } = await open(name, await loadWasmRuntime({ threads: 1 }))
  await using _ = lm
  const [tokens = []] = fixture.inputIds
  for (const chunk of [24, 1]) {
    const logits = await allLogits(lm, tokens, chunk)
    expect(largestDifference(logits, (await fixture.expected('logits')).subarray(0, logits.length))).toBeLessThan(TOLERANCE)
  }
})

test("BLOOM's keys as columns with fused heads: rows of the cache are those of an export without", async () => {
  const rows = []
  for (const name of ['merged-bloom', 'optimum-bloom']) {
    const { lm, fixture } = await open(name)
    await using _ = lm
    await using cache = lm.createCache()
    const [tokens = []] = fixture.inputIds
    cache.append((await lm.forward({ tokens: Int32Array.from(tokens.slice(0, 9)), cache, want: {} })).rows)
    rows.push((await lm.forward({ tokens: Int32Array.from(tokens.slice(9, 10)), cache, want: {} })).rows)
  }
  const [fused, separate] = rows
  for (const [layer, { keys, values }] of separate?.layers.entries() ?? []) {
    expect(largestDifference(fused?.layers[layer]?.keys ?? [], keys)).toBeLessThan(1e-5)
    expect(largestDifference(fused?.layers[layer]?.values ?? [], values)).toBeLessThan(1e-5)
  }
})

test('several rows after cached ones are refused by a merged decoder, which has no mask among them', async () => {
  const { lm, fixture } = await open('merged-opt')
  await using _ = lm
  expect(lm.maxSteps(lm.createCache())).toBe(lm.config.maxPositions)
  await expect(allLogits(lm, fixture.inputIds[0] ?? [], 7)).rejects.toMatchObject({
    code: 'step',
    message: expect.stringMatching(/7 rows after 7 cached ones, expected 1/),
  })
})

describe('what an exporter left out of a graph', () => {
  test('a window outside of the graph: the rows within it are those of the reference, a step beyond is refused', async () => {
    const { lm, fixture } = await open('genai-mistral')
    await using _ = lm
    const [tokens = []] = fixture.inputIds
    const logits = await allLogits(lm, tokens.slice(0, 8))
    expect(largestDifference(logits, (await fixture.expected('logits')).subarray(0, logits.length))).toBeLessThan(TOLERANCE)
    expect(lm.plan.notes).toContain('the graph lacks the sliding_window of 8 rows: positions end at 8')
    await expect(allLogits(lm, tokens)).rejects.toMatchObject({
      code: 'step',
      message: expect.stringMatching(/position.*8.*sliding_window/),
    })
  })

  test('a dynamic rope: a short sequence is that of the reference, a step beyond the first range is refused', async () => {
    const { lm, fixture } = await open('optimum-llama-rope-dynamic')
    await using _ = lm
    const [tokens = []] = fixture.inputIds
    const logits = await allLogits(lm, tokens.slice(0, 12))
    expect(largestDifference(logits, (await fixture.expected('short_logits')).subarray(0, logits.length))).toBeLessThan(TOLERANCE)
    await expect(allLogits(lm, tokens)).rejects.toMatchObject({
      code: 'step',
      message: expect.stringMatching(/position.*16.*dynamic rope/),
    })
  })

  test('the long factors of LongRoPE: a short sequence is that of the reference, a step beyond the first range is refused', async () => {
    const { lm, fixture } = await open('optimum-phi3-longrope')
    await using _ = lm
    const [tokens = []] = fixture.inputIds
    const logits = await allLogits(lm, tokens.slice(0, 12))
    expect(largestDifference(logits, (await fixture.expected('short_logits')).subarray(0, logits.length))).toBeLessThan(TOLERANCE)
    await expect(allLogits(lm, tokens)).rejects.toMatchObject({ code: 'step', message: expect.stringMatching(/16.*longrope rope/) })
  })

  test('both tables of LongRoPE in a branch: a prompt in one step, and tokens after it, are those of the reference', async () => {
    const { lm, fixture } = await open('genai-phi3-longrope')
    await using _ = lm
    const [tokens = []] = fixture.inputIds
    const logits = await allLogits(lm, tokens)
    expect(largestDifference(logits, (await fixture.expected('logits')).subarray(0, logits.length))).toBeLessThan(TOLERANCE)
    // the tables of the graph end at max_position_embeddings, those of the reference do not end
    const { prompt, ids, idsWithCache = ids } = fixture.greedy
    const count = lm.config.maxPositions - prompt.length
    expect(await greedyTokens(lm, prompt, count)).toEqual(idsWithCache.slice(0, count))
    await expect(greedyTokens(lm, prompt, ids.length)).rejects.toMatchObject({
      code: 'step',
      message: expect.stringMatching(/found 64, expected positions below 64/),
    })
  })
})

test('positions end with the tables that were traced into a graph: a step beyond is refused by its position', async () => {
  const { lm } = await open('optimum-gpt_neo')
  await using _ = lm
  const tokens = Array.from({ length: 97 }, (__, at) => at + 3)
  expect((await allLogits(lm, tokens.slice(0, 96))).every(Number.isFinite)).toBe(true)
  await expect(allLogits(lm, tokens)).rejects.toMatchObject({
    code: 'step',
    message: expect.stringMatching(/positions: found 96, expected positions below 96/),
  })
})
