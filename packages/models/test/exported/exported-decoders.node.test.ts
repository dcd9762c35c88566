/** Exported decoders of the tiny checkpoints: the logits, tokens and caches of the reference through the exporters' names. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadWasmRuntime } from '@foretoken/runtime'
import { decodeFloat16, encodeFloat16 } from '@foretoken/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CausalLM, loadCausalLM } from '../../src/index.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { greedyTokens } from '../greedy-tokens.ts'
import { type ExportOptions, exportGpt2, exportLlama, tinyWeights, writeGraph } from './exported-graph.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'exported-'))
})
afterAll(() => rm(root, { recursive: true }))

let exports = 0
/** A folder as the hub has it: the configuration, and the graph below `onnx/`. */
async function exportedFolder(name: string, options: ExportOptions, file = 'model.onnx'): Promise<string> {
  const folder = join(root, `${name}-${exports++}`)
  const { folder: source } = await checkpointFixture(name)
  await cp(join(source, 'config.json'), join(folder, 'config.json'))
  const weights = await tinyWeights(source)
  await writeGraph(name === 'gpt2' ? exportGpt2(weights) : exportLlama(weights, options), join(folder, 'onnx', file))
  return folder
}

async function allLogits(lm: CausalLM, tokens: Int32Array, chunk = tokens.length): Promise<Float32Array> {
  await using cache = lm.createCache()
  const logits = new Float32Array(tokens.length * lm.config.vocab)
  for (let start = 0; start < tokens.length; start += chunk) {
    const result = await lm.forward({ tokens: tokens.slice(start, start + chunk), cache, want: { logits: 'all' } })
    logits.set(result.logits?.data ?? [], start * lm.config.vocab)
    cache.append(result.rows)
  }
  return logits
}

const CASES: readonly (readonly [string, string, ExportOptions])[] = [
  ['llama', 'attention with a mask', { attention: 'plain' }],
  ['llama', 'GroupQueryAttention', { attention: 'group-query' }],
  ['llama', 'a branch for the cache', { attention: 'plain', isMerged: true }],
  ['llama', 'a mask of pairs', { attention: 'plain', mask: 'pairs' }],
  ['llama', 'an input for the rows of the head', { attention: 'plain', keptLogits: 'num_logits_to_keep' }],
  ['qwen2', 'attention with a mask', { attention: 'plain' }],
  ['qwen2', 'GroupQueryAttention', { attention: 'group-query' }],
  ['gpt2', 'attention with a mask', { attention: 'plain' }],
]

describe.each(CASES)('%s exported with %s', (name, _, options) => {
  let lm: CausalLM
  let inputIds: readonly (readonly number[])[]
  let expected: Float32Array
  beforeAll(async () => {
    lm = await loadCausalLM(await exportedFolder(name, options))
    const fixture = await checkpointFixture(name)
    inputIds = fixture.inputIds
    expected = await fixture.expected('logits')
  })
  afterAll(() => lm[Symbol.asyncDispose]())
  const row = (index: number) => Int32Array.from(inputIds[index] ?? [])

  test('the logits of both sequences are those of the reference', async () => {
    for (const index of [0, 1]) {
      const own = expected.subarray((index * expected.length) / 2, ((index + 1) * expected.length) / 2)
      expect(largestDifference(await allLogits(lm, row(index)), own)).toBeLessThan(1e-4)
    }
  })

  test('prefill in chunks and token by token gives the logits of the reference', async () => {
    for (const chunk of options.isMerged ? [1] : [7, 1]) {
      expect(largestDifference(await allLogits(lm, row(0), chunk), expected.subarray(0, expected.length / 2))).toBeLessThan(1e-4)
    }
  })

  test('64 greedy tokens are those of the reference', async () => {
    const { prompt, ids } = (await checkpointFixture(name)).greedy
    expect(await greedyTokens(lm, prompt, ids.length)).toEqual(ids)
  })

  test('a sequence in a batch has the bits it has alone', async () => {
    await using first = lm.createCache()
    await using second = lm.createCache()
    const want = { logits: 'all' as const }
    const results = await lm.forwardBatch([
      { tokens: row(0), cache: first, want },
      { tokens: row(1), cache: second, want },
    ])
    expect(results[1]?.logits?.data).toEqual(await allLogits(lm, row(1)))
  })

  test('the last row, chosen rows and the best tokens are those of all rows', async () => {
    await using cache = lm.createCache()
    const { vocab } = lm.config
    const all = await allLogits(lm, row(0))
    const at = (index: number) => all.slice(index * vocab, (index + 1) * vocab)
    const step = { tokens: row(0), cache }
    const last = await lm.forward({ ...step, want: { logits: 'last' } })
    expect(last.logits?.dims).toEqual([1, vocab])
    expect(largestDifference(last.logits?.data ?? [], at(23))).toBeLessThan(1e-5)
    const chosen = await lm.forward({ ...step, want: { logits: Int32Array.of(5, 2) } })
    expect(chosen.logits?.data).toEqual(Float32Array.from([...at(5), ...at(2)]))
    const { topK, logits } = await lm.forward({ ...step, want: { topK: 3 } })
    expect(logits).toBeUndefined()
    const best = [...at(23).entries()].sort(([, a], [, b]) => b - a).slice(0, 3)
    expect([...(topK?.tokens ?? [])]).toEqual(best.map(([id]) => id))
  })

  test('what it can do is said, and the plan says how it was made', () => {
    expect(lm.capabilities).toEqual({
      treeVisibility: options.mask === 'pairs',
      blockVisibility: options.mask === 'pairs',
      embeddingsInput: false,
      hiddenStates: false,
      attentionScores: false,
      topK: true,
    })
    expect(lm.plan.formats).toEqual({ graph: 'as exported', cache: 'float32' })
    if (!lm.plan.exact) expect(lm.plan.notes.join('; ')).toMatch(/not exact: row \d of 4/)
    expect(lm.config).toMatchObject({ modelType: name, layers: 2, hidden: 64, heads: 4, headDim: 16, vocab: 256 })
  })
})

describe('what an exported graph lacks', () => {
  let lm: CausalLM
  beforeAll(async () => {
    lm = await loadCausalLM(await exportedFolder('llama', { attention: 'group-query' }))
  })
  afterAll(() => lm[Symbol.asyncDispose]())

  test.each([
    ['embeddings', { tokens: new Float32Array(128) }, /tokens: found embeddings.*embeddingsInput/],
    ['hidden states', { want: { hidden: [1] } }, /want\.hidden.*hiddenStates/],
    ['attention scores', { want: { scores: 'all' as const } }, /want\.scores.*attentionScores/],
    ['a tree', { visibility: { kind: 'tree' as const, parents: Int32Array.of(-1, -1) } }, /visibility.*tree.*treeVisibility/],
    ['positions of its own', { positions: Int32Array.of(0, 5) }, /position 5 of row 1.*counts its cached rows/],
    ['positions beyond the tables', { positions: Int32Array.of(256, 257) }, /position 256 of row 0/],
  ])('%s are refused with the name of the capability', async (_, change, message) => {
    await using cache = lm.createCache()
    const step = { tokens: Int32Array.of(1, 2), cache, want: { logits: 'last' as const }, ...change }
    await expect(lm.forward(step)).rejects.toMatchObject({ code: 'step', message: expect.stringMatching(message) })
    expect((await lm.forward({ tokens: Int32Array.of(1), cache, want: {} })).rows.steps).toBe(1)
  })

  test('a tree that is a chain is causal', async () => {
    await using cache = lm.createCache()
    const visibility = { kind: 'tree' as const, parents: Int32Array.of(-1, 0) }
    expect((await lm.forward({ tokens: Int32Array.of(1, 2), cache, visibility, want: {} })).rows.steps).toBe(2)
  })
})

test('a graph with a mask of pairs runs trees: each branch has the logits of its path', async () => {
  await using lm = await loadCausalLM(await exportedFolder('llama', { attention: 'plain', mask: 'pairs' }))
  await using cache = lm.createCache()
  cache.append((await lm.forward({ tokens: Int32Array.of(5, 6, 7), cache, want: {} })).rows)
  const tree = await lm.forward({
    tokens: Int32Array.of(10, 11),
    positions: Int32Array.of(3, 3),
    visibility: { kind: 'tree', parents: Int32Array.of(-1, -1) },
    cache,
    want: { logits: 'all' },
  })
  for (const [at, token] of [10, 11].entries()) {
    const alone = await lm.forward({ tokens: Int32Array.of(token), cache, want: { logits: 'last' } })
    const { vocab } = lm.config
    expect(largestDifference(tree.logits?.data.subarray(at * vocab, (at + 1) * vocab) ?? [], alone.logits?.data ?? [])).toBeLessThan(1e-5)
  }
})

test('on the wasm runtime a graph and its external data come from memory, with the logits of the reference', async () => {
  const { folder: source, inputIds, expected } = await checkpointFixture('llama')
  const folder = join(root, 'wasm')
  await cp(join(source, 'config.json'), join(folder, 'config.json'))
  await writeGraph(
    exportLlama(await tinyWeights(source), { attention: 'group-query' }),
    join(folder, 'onnx', 'model.onnx'),
    'model.onnx_data',
  )
  await using lm = await loadCausalLM(folder, { runtime: await loadWasmRuntime({ threads: 1 }) })
  const logits = await allLogits(lm, Int32Array.from(inputIds[0] ?? []))
  expect(largestDifference(logits, (await expected('logits')).subarray(0, logits.length))).toBeLessThan(1e-4)
})

test('a merged decoder takes one row at a time after cached ones', async () => {
  await using lm = await loadCausalLM(await exportedFolder('llama', { attention: 'plain', isMerged: true }, 'decoder_model_merged.onnx'))
  await using cache = lm.createCache()
  expect(lm.maxSteps(cache)).toBe(256)
  cache.append((await lm.forward({ tokens: Int32Array.of(1, 2), cache, want: {} })).rows)
  expect(lm.maxSteps(cache)).toBe(1)
})

test('blocks of 4 bits give the logits of the same numbers in float32', async () => {
  await using blocks = await loadCausalLM(await exportedFolder('llama', { attention: 'group-query', weights: 'q4' }, 'model_q4.onnx'))
  await using decoded = await loadCausalLM(await exportedFolder('llama', { attention: 'plain', weights: 'q4-decoded' }))
  const tokens = Int32Array.from((await checkpointFixture('llama')).inputIds[0] ?? [])
  expect(largestDifference(await allLogits(blocks, tokens), await allLogits(decoded, tokens))).toBeLessThan(1e-4)
})

test('a cache in float16 goes through the host without a change', async () => {
  await using lm = await loadCausalLM(await exportedFolder('llama', { attention: 'plain', cacheType: 'float16' }, 'model_fp16.onnx'))
  expect(lm.plan.formats.cache).toBe('float16')
  const tokens = Int32Array.from((await checkpointFixture('llama')).inputIds[0] ?? [])
  const whole = await allLogits(lm, tokens)
  expect(largestDifference(await allLogits(lm, tokens, 1), whole)).toBeLessThan(1e-4)
  await using cache = lm.createCache()
  const { rows } = await lm.forward({ tokens, cache, want: {} })
  for (const { keys } of rows.layers) expect(decodeFloat16(encodeFloat16(keys))).toEqual(keys)
})
