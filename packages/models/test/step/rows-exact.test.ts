/** What a row computes does not depend on what else is in the step, on how a prompt was cut, or on where the cache is cut. */
import type { KvCache } from '@foretoken/kv-cache'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CausalLM, loadCausalLM, type StepResult, type WeightFormat } from '../../src/index.ts'
import { backend } from '../backend.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { expectExactRows } from '../expect-exact-rows.ts'

/** Below the smallest vocabulary of the fixtures. */
const TOKENS = 240
const text = (length: number) => Int32Array.from({ length }, (_, at) => (at * 37 + (at >> 3)) % TOKENS)

async function prefilled(lm: CausalLM, length: number, chunk: number) {
  const cache = lm.createCache()
  const tokens = text(length)
  let last: StepResult | undefined
  while (cache.length < length) {
    const rows = Math.min(chunk, lm.maxSteps(cache), length - cache.length)
    last = await lm.forward({ tokens: tokens.slice(cache.length, cache.length + rows), cache, want: { logits: 'last' } })
    cache.append(last.rows)
  }
  return { cache, logits: last?.logits?.data ?? new Float32Array(0) }
}

const NATIVE_CASES: readonly (readonly [string, WeightFormat])[] = [
  ['llama', 'f32'],
  ['llama', 'int8-rows'],
  ['llama', 'int8'],
  ['llama', 'int4'],
  ['llama-mqa', 'f32'],
  ['mistral', 'f32'],
  ['mistral', 'int8-rows'],
  ['qwen2-sliding', 'int8'],
  ['qwen3', 'int4'],
  ['llama-rope-dynamic', 'int8-rows'],
  ['gemma2', 'f32'],
  ['bloom', 'f32'],
  ['bloom-heads-6', 'int8-rows'],
  ['falcon-alibi', 'int4'],
  ['cohere-qk', 'int8'],
  ['cohere2', 'f32'],
  ['gemma3_text', 'int4'],
  ['mixtral', 'f32'],
  ['mixtral', 'int8'],
  ['mixtral', 'int4'],
  ['mixtral', 'int8-rows'],
  ['qwen2_moe', 'int4'],
  ['falcon_mamba', 'int8-rows'],
  ['gpt_oss', 'f32'],
  ['gpt_oss', 'int4'],
  ['deepseek_v2', 'f32'],
  ['deepseek_v2-lite', 'int4'],
  ['deepseek_v3', 'f32'],
  ['deepseek_v3', 'int4'],
  ['deepseek_v3', 'int8-rows'],
  ['mamba', 'f32'],
  ['mamba', 'int4'],
  ['mamba', 'int8'],
  ['mamba2', 'f32'],
  ['mamba2', 'int4'],
  ['mamba2', 'int8'],
]
/** The kernels of wasm do not depend on the architecture; blocks are slow there and never chosen. */
const WASM_CASES: readonly (readonly [string, WeightFormat])[] = [
  ['llama', 'f32'],
  ['llama', 'int8-rows'],
  ['mistral', 'int8-rows'],
  ['gemma2', 'f32'],
  ['mixtral', 'int8-rows'],
  ['mamba2', 'f32'],
]
const CASES = backend === 'node' ? NATIVE_CASES : WASM_CASES

/** What a cache holds of its layers: rows, or the state after them, which a step that goes on from there shows. */
async function held(lm: CausalLM, cache: KvCache) {
  const { logits, rows } = await lm.forward({ tokens: Int32Array.of(9), cache, want: { logits: 'last' } })
  return {
    views: cache.layers.map((_, layer) => cache.view(layer)),
    next: logits?.data,
    rows: rows.layers.map(({ recurrent }) => recurrent?.stateAfter),
  }
}

describe.each(CASES)('%s in %s', (name, format) => {
  let lm: CausalLM
  beforeAll(async () => {
    const { open } = await checkpointFixture(name)
    lm = await loadCausalLM(await open(), { format })
  })
  afterAll(() => lm[Symbol.asyncDispose]())

  test('the self-test at load says so', () => {
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
  })

  test('every row of 1 to 16 has the bits of a single one', async () => {
    await expectExactRows(lm, 300)
  })

  test('600 tokens give the same bits in chunks of 256, of 100, of 1 and of 7', async () => {
    const whole = await prefilled(lm, 600, 256)
    for (const chunk of [100, 1, 7]) {
      const { cache, logits } = await prefilled(lm, 600, chunk)
      expect(logits, `chunks of ${chunk}`).toEqual(whole.logits)
      expect(await held(lm, cache)).toEqual(await held(lm, whole.cache))
    }
  })

  test('the rows of a random tree are those of its paths decoded one by one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 5, 250, 256, 300),
        fc.array(fc.tuple(fc.nat(), fc.nat(TOKENS - 1)), { minLength: 1, maxLength: 12 }),
        async (past, drawn) => {
          await using cache = (await prefilled(lm, past, 256)).cache
          const steps = Math.min(drawn.length, lm.maxSteps(cache))
          const nodes = drawn.slice(0, steps)
          const parents = Int32Array.from(nodes, ([choice], node) => (node === 0 ? -1 : (choice % (node + 1)) - 1))
          const tokens = Int32Array.from(nodes, ([, token]) => token)
          const depths: number[] = []
          for (const parent of parents) depths.push(parent < 0 ? 0 : (depths[parent] ?? 0) + 1)
          const positions = Int32Array.from(depths, (depth) => past + depth)
          const tree = await lm.forward({ tokens, positions, cache, visibility: { kind: 'tree', parents }, want: { logits: 'all' } })
          const { vocab } = lm.config
          for (let node = 0; node < steps; node++) {
            const path: number[] = []
            for (let at = node; at >= 0; at = parents[at] ?? -1) path.unshift(at)
            await using alone = cache.fork()
            let last: StepResult | undefined
            for (const at of path) {
              last = await lm.forward({ tokens: Int32Array.of(tokens[at] ?? 0), cache: alone, want: { logits: 'last' } })
              alone.append(last.rows)
            }
            expect(tree.logits?.data.slice(node * vocab, (node + 1) * vocab)).toEqual(last?.logits?.data)
          }
        },
      ),
      { numRuns: 12, seed: 20261124 },
    )
  })

  test('a cache that kept one path of a tree is the cache of that path', async () => {
    await using cache = (await prefilled(lm, 20, 20)).cache
    await using plain = cache.fork()
    const tokens = Int32Array.of(1, 2, 3, 4, 5)
    const parents = Int32Array.of(-1, 0, 0, 2, 1)
    const positions = Int32Array.of(20, 21, 21, 22, 22)
    const { rows } = await lm.forward({ tokens, positions, cache, visibility: { kind: 'tree', parents }, want: {} })
    cache.append(rows, [0, 2, 3])
    for (const token of [1, 3, 4]) {
      plain.append((await lm.forward({ tokens: Int32Array.of(token), cache: plain, want: {} })).rows)
    }
    expect([...cache.positions]).toEqual([...plain.positions])
    expect(await held(lm, cache)).toEqual(await held(lm, plain))
  })
})
