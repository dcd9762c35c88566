/**
 * The graphs of wasm and Node on WebGPU, through a GPU that is computed in software: the logits are those of the reference, and those of wasm
 * where there is none. Errors of a GPU's operators are silent (a wrong mask gives wrong numbers), so trees are compared row by row.
 */
import { loadRuntime } from '@foretoken/runtime'
import { expect, test } from 'vitest'
import { type CausalLM, loadCausalLM } from '../src/index.ts'
import { checkpointFixture, largestDifference } from './checkpoint-fixture.ts'
import { greedyTokens } from './greedy-tokens.ts'

const TOLERANCE = 1e-4
const gpu = await loadRuntime({ provider: 'webgpu' })
const wasm = await loadRuntime({ provider: 'wasm' })

/** A tree of two branches below two chained rows, after a past that crosses no cut, ends at one, or crosses one. */
const parents = Int32Array.of(-1, 0, 1, 1, 3, 0)
const depths = [0, 1, 2, 2, 3, 1]

async function treeLogits(lm: CausalLM, past: number): Promise<Float32Array> {
  await using cache = lm.createCache()
  const text = Int32Array.from({ length: past }, (_, at) => (at * 37 + (at >> 3)) % 240)
  while (cache.length < past) {
    const tokens = text.slice(cache.length, cache.length + Math.min(lm.maxSteps(cache), past - cache.length))
    cache.append((await lm.forward({ tokens, cache, want: {} })).rows)
  }
  const tokens = Int32Array.of(7, 31, 64, 5, 200, 9)
  const positions = Int32Array.from(depths, (depth) => past + depth)
  const { logits } = await lm.forward({ tokens, positions, cache, visibility: { kind: 'tree', parents }, want: { logits: 'all' } })
  return logits?.data ?? new Float32Array(0)
}

test.each(['llama', 'gemma2', 'mixtral', 'gpt2'])('%s has the logits of the reference, and its greedy tokens', async (name) => {
  const fixture = await checkpointFixture(name)
  await using lm = await loadCausalLM(await fixture.open(), { format: 'f32', runtime: gpu, selfTest: false })
  expect(lm.plan).toMatchObject({ provider: 'webgpu', notes: expect.arrayContaining([expect.stringContaining('computed in software')]) })
  const expected = await fixture.expected('logits')
  await using cache = lm.createCache()
  const tokens = Int32Array.from(fixture.inputIds[0] ?? [])
  const { logits } = await lm.forward({ tokens, cache, want: { logits: 'all' }, sequenceLength: tokens.length })
  expect(largestDifference(logits?.data ?? [], expected.subarray(0, expected.length / 2))).toBeLessThan(TOLERANCE)
  expect(await greedyTokens(lm, fixture.greedy.prompt, 4)).toEqual(fixture.greedy.ids.slice(0, 4))
})

test.each([
  ['llama', [0, 20, 256, 300]],
  ['gemma2', [300]],
])('the rows of a tree of %s are those of wasm after %j tokens', async (name, pasts) => {
  const fixture = await checkpointFixture(name)
  await using onGpu = await loadCausalLM(await fixture.open(), { format: 'f32', runtime: gpu, selfTest: false })
  await using onWasm = await loadCausalLM(await fixture.open(), { format: 'f32', runtime: wasm, selfTest: false })
  for (const past of pasts) {
    expect(largestDifference(await treeLogits(onGpu, past), await treeLogits(onWasm, past)), `${past} tokens`).toBeLessThan(TOLERANCE)
  }
})

test('whether rows are the same bits alone and together is found out', async () => {
  const { open } = await checkpointFixture('llama')
  await using lm = await loadCausalLM(await open(), { format: 'f32', runtime: gpu })
  expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
})
