/** LoRA adapters, merged and at run time, against checkpoints whose weights were changed by hand. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdapterOptions, type CausalLM, loadCausalLM, withAdapters } from '../../src/index.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { changedCheckpoint, type TinyPair, tinyPair, writeAdapter } from './tiny-adapter.ts'

let root: string
let counter = 0
const fresh = () => join(root, `folder-${counter++}`)
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lora-'))
})
afterAll(() => rm(root, { recursive: true }))

const TOKENS = Int32Array.of(57, 111, 196, 93, 127, 211, 155, 149, 59, 238, 220, 236)
const TOLERANCE = 1e-4

async function logitsOf(lm: CausalLM, adapters?: Readonly<Record<string, number>>): Promise<Float32Array> {
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: TOKENS, cache, want: { logits: 'all' }, ...(adapters && { adapters }) })
  return logits?.data ?? new Float32Array(0)
}
async function logitsWith(source: string, adapters: readonly AdapterOptions[] = [], format: 'f32' | 'int8' = 'f32'): Promise<Float32Array> {
  await using lm = await loadCausalLM(source, { format, adapters, selfTest: false })
  return logitsOf(lm)
}

/** Queries, values and the gate of both layers, and one output: parts of fused products with others that have no adapter. */
function somePairs(rank: number, seed: number): readonly TinyPair[] {
  return [0, 1].flatMap((layer) => [
    tinyPair(`model.layers.${layer}.self_attn.q_proj`, [64, 64], rank, seed + layer * 10 + 1),
    tinyPair(`model.layers.${layer}.self_attn.v_proj`, [32, 64], rank, seed + layer * 10 + 2),
    tinyPair(`model.layers.${layer}.mlp.gate_proj`, [128, 64], rank, seed + layer * 10 + 3),
    tinyPair(`model.layers.${layer}.mlp.down_proj`, [64, 128], rank, seed + layer * 10 + 4),
  ])
}

describe.each(['llama', 'qwen2'])('%s', (name) => {
  const first = somePairs(4, 100)
  const second = [
    tinyPair('model.layers.1.self_attn.q_proj', [64, 64], 2, 501),
    tinyPair('model.layers.0.self_attn.k_proj', [32, 64], 2, 502),
    tinyPair('model.layers.0.self_attn.o_proj', [64, 64], 2, 503),
    tinyPair('model.layers.0.mlp.up_proj', [128, 64], 2, 504),
  ]
  // alpha 8 over ranks 4 and 2
  const scales = { first: 2, second: 4 }
  let source: string
  let base: Float32Array
  let one: AdapterOptions
  let two: AdapterOptions
  beforeAll(async () => {
    source = (await checkpointFixture(name)).folder
    base = await logitsWith(source)
    one = { name: 'one', path: await writeAdapter(fresh(), first) }
    two = { name: 'two', path: await writeAdapter(fresh(), second) }
  })
  const byHand = async (parts: readonly (readonly [readonly TinyPair[], number])[]) => {
    const changes = parts.flatMap(([pairs, factor]) => pairs.map((pair) => ({ pair, factor })))
    return logitsWith(await changedCheckpoint(source, fresh(), changes))
  }

  test('a merged adapter gives the logits of weights that were changed by hand', async () => {
    const expected = await byHand([[first, scales.first]])
    expect(largestDifference(expected, base)).toBeGreaterThan(0.1)
    expect(largestDifference(await logitsWith(source, [one]), expected)).toBeLessThan(TOLERANCE)
  })

  test('at run time it gives the same, in rows that are the same bits alone and together', async () => {
    await using lm = await loadCausalLM(source, { format: 'f32', adapters: [{ ...one, mode: 'runtime' }] })
    expect(largestDifference(await logitsOf(lm), await byHand([[first, scales.first]]))).toBeLessThan(TOLERANCE)
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
    expect(lm.plan.notes.join('; ')).toMatch(/adapter one: 8 modules of rank 4, run beside the weights/)
  })

  test('two adapters add up, in every combination of modes', async () => {
    const expected = await byHand([
      [first, scales.first],
      [second, scales.second * 0.5],
    ])
    for (const mode of ['merge', 'runtime'] as const) {
      for (const other of ['merge', 'runtime'] as const) {
        const logits = await logitsWith(source, [
          { ...one, mode },
          { ...two, mode: other, scale: 0.5 },
        ])
        expect(largestDifference(logits, expected), `${mode} and ${other}`).toBeLessThan(TOLERANCE)
      }
    }
  })

  test('a scale of 0 is the model without the adapter, bit for bit', async () => {
    await using lm = await loadCausalLM(source, { format: 'f32', adapters: [{ ...one, mode: 'runtime' }], selfTest: false })
    expect(await logitsOf(lm, { one: 0 })).toEqual(base)
    expect(await logitsWith(source, [{ ...one, scale: 0 }])).toEqual(base)
  })

  test('each step has the scales that it names, and views of one model stand side by side', async () => {
    const adapters = [one, two].map((each) => ({ ...each, mode: 'runtime' as const, scale: 0 }))
    await using lm = await loadCausalLM(source, { format: 'f32', adapters, selfTest: false })
    const onlySecond = await byHand([[second, scales.second]])
    expect(await logitsOf(lm)).toEqual(base)
    expect(largestDifference(await logitsOf(lm, { two: 1 }), onlySecond)).toBeLessThan(TOLERANCE)
    const views = [withAdapters(lm, { one: 1 }), withAdapters(lm, { two: 1 })]
    const [viewOne, viewTwo] = await Promise.all(views.map((view) => logitsOf(view)))
    expect(largestDifference(viewOne ?? [], await byHand([[first, scales.first]]))).toBeLessThan(TOLERANCE)
    expect(largestDifference(viewTwo ?? [], onlySecond)).toBeLessThan(TOLERANCE)
  })

  test('in packed formats a merged adapter is that of the packed changed weights', async () => {
    const changed = await changedCheckpoint(
      source,
      fresh(),
      first.map((pair) => ({ pair, factor: scales.first })),
    )
    expect(largestDifference(await logitsWith(source, [one], 'int8'), await logitsWith(changed, [], 'int8'))).toBeLessThan(TOLERANCE)
  })

  test('beside packed weights a runtime adapter keeps rows exact', async () => {
    for (const format of ['int8', 'int4'] as const) {
      await using lm = await loadCausalLM(source, { format, adapters: [{ ...one, mode: 'runtime' }] })
      expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
    }
  })
})

describe('configuration', () => {
  const pairs = [tinyPair('model.layers.0.self_attn.q_proj', [64, 64], 4, 7), tinyPair('model.layers.1.mlp.up_proj', [128, 64], 2, 8)]
  test.each([
    [
      'ranks and alphas of their own',
      { r: 4, lora_alpha: 8, rank_pattern: { up_proj: 2 }, alpha_pattern: { '^model.layers.1.mlp.up_proj': 3 } },
      [2, 1.5],
    ],
    ['a root of the rank', { r: 4, lora_alpha: 8, rank_pattern: { 'mlp.up_proj': 2 }, use_rslora: true }, [4, 8 / Math.sqrt(2)]],
  ])('%s scale what is added', async (_, config, factors) => {
    const { folder: source } = await checkpointFixture('llama')
    const path = await writeAdapter(fresh(), pairs, config)
    const changes = pairs.map((pair, at) => ({ pair, factor: factors[at] ?? 0 }))
    const expected = await logitsWith(await changedCheckpoint(source, fresh(), changes))
    for (const mode of ['merge', 'runtime'] as const) {
      expect(largestDifference(await logitsWith(source, [{ path, mode }]), expected)).toBeLessThan(TOLERANCE)
    }
  })
})

test('an adapter of GPT-2 changes fused projections that lie transposed', async () => {
  const { folder: source } = await checkpointFixture('gpt2')
  const pairs = [
    tinyPair('transformer.h.0.attn.c_attn', [192, 64], 4, 21),
    tinyPair('transformer.h.1.attn.c_proj', [64, 64], 4, 22),
    tinyPair('transformer.h.1.mlp.c_fc', [256, 64], 4, 23),
  ]
  const path = await writeAdapter(fresh(), pairs, { fan_in_fan_out: true })
  const changes = pairs.map((pair) => ({ pair, factor: 2 }))
  const expected = await logitsWith(await changedCheckpoint(source, fresh(), changes, true))
  expect(largestDifference(expected, await logitsWith(source))).toBeGreaterThan(0.1)
  for (const mode of ['merge', 'runtime'] as const) {
    expect(largestDifference(await logitsWith(source, [{ path, mode }]), expected), mode).toBeLessThan(TOLERANCE)
  }
})

test('an adapter of a fused projection gives each part its rows', async () => {
  const { folder: source } = await checkpointFixture('phi3')
  const pairs = [
    tinyPair('model.layers.0.self_attn.qkv_proj', [192, 64], 4, 31),
    tinyPair('model.layers.1.mlp.gate_up_proj', [256, 64], 4, 32),
  ]
  const path = await writeAdapter(fresh(), pairs)
  const expected = await logitsWith(
    await changedCheckpoint(
      source,
      fresh(),
      pairs.map((pair) => ({ pair, factor: 2 })),
    ),
  )
  for (const mode of ['merge', 'runtime'] as const) {
    expect(largestDifference(await logitsWith(source, [{ path, mode }]), expected), mode).toBeLessThan(TOLERANCE)
  }
})

test('adapters of experts run in the branches of their experts', async () => {
  const { folder: source } = await checkpointFixture('mixtral')
  const pairs = [0, 1, 2, 3].map((expert) => tinyPair(`model.layers.0.block_sparse_moe.experts.${expert}.w1`, [48, 64], 2, 60 + expert))
  const path = await writeAdapter(fresh(), pairs)
  const changes = pairs.map((pair) => ({ pair, factor: 4 }))
  const expected = await logitsWith(await changedCheckpoint(source, fresh(), changes))
  expect(largestDifference(expected, await logitsWith(source))).toBeGreaterThan(0.1)
  for (const mode of ['merge', 'runtime'] as const) {
    await using lm = await loadCausalLM(source, { format: 'f32', adapters: [{ path, mode }] })
    expect(largestDifference(await logitsOf(lm), expected), mode).toBeLessThan(TOLERANCE)
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
  }
})

test('merged into a GGUF, whose rows lie in another order, it is what it is at run time', async () => {
  const source = fileURLToPath(new URL('../fixtures/gguf/tiny-llama-q4_k.gguf', import.meta.url))
  const pairs = [
    tinyPair('model.layers.0.self_attn.q_proj', [256, 256], 4, 41),
    tinyPair('model.layers.0.self_attn.k_proj', [128, 256], 4, 42),
    tinyPair('model.layers.0.self_attn.o_proj', [256, 256], 4, 43),
  ]
  const path = await writeAdapter(fresh(), pairs)
  // at run time outputs are added in the model's order: the file's order plays no part
  const expected = await logitsWith(source, [{ path, mode: 'runtime' }])
  expect(largestDifference(expected, await logitsWith(source))).toBeGreaterThan(0.1)
  expect(largestDifference(await logitsWith(source, [{ path }]), expected)).toBeLessThan(TOLERANCE)
})

test('kept weights with an adapter in them are others than those without', async () => {
  const { folder: source } = await checkpointFixture('llama')
  const path = await writeAdapter(fresh(), somePairs(4, 900))
  const convertedFolder = fresh()
  const load = (adapters: readonly AdapterOptions[]) => loadCausalLM(source, { format: 'f32', adapters, convertedFolder, selfTest: false })
  const results: Float32Array[] = []
  for (const adapters of [[], [{ path }], [{ path, scale: 0.5 }], [{ path }]]) {
    await using lm = await load(adapters)
    results.push(await logitsOf(lm))
  }
  const [without, whole, half, again] = results
  expect(largestDifference(without ?? [], whole ?? [])).toBeGreaterThan(0.1)
  expect(largestDifference(whole ?? [], half ?? [])).toBeGreaterThan(0.1)
  expect(again).toEqual(whole)
  expect(await readdir(convertedFolder)).toHaveLength(3)
})
