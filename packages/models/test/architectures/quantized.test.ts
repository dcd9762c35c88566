/**
 * Families in the formats of integers: rows stay exact, and logits stay near those of the reference. The fixtures are random and narrow
 * (64 wide, weights with a standard deviation of 0.2), so that rounding weighs more than in trained models; logits have a standard
 * deviation of about 1.6. The bounds are about twice the mean absolute differences that were measured.
 */
import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'

const BOUNDS: readonly (readonly [name: string, int8: number, int4: number])[] = [
  ['gemma', 0.1, 1],
  ['gemma2', 0.1, 1],
  ['gemma3_text', 0.1, 1],
  ['deepseek_v2', 0.2, 1],
  ['deepseek_v3', 0.2, 1],
  ['gpt_oss', 0.1, 1],
  ['mixtral', 0.1, 1],
  ['phi3', 0.1, 1],
  ['phi3-longrope', 0.1, 1],
  ['phi3-partial-longrope', 0.1, 1],
  ['granite', 0.1, 1],
  ['olmo', 0.1, 1],
  ['olmo2', 0.1, 1],
  ['olmo3', 0.1, 1],
  ['qwen2_moe', 0.2, 1],
  ['qwen3_moe', 0.1, 1],
  ['smollm3', 0.1, 1],
  ['cohere', 0.1, 1],
  ['cohere-qk', 0.1, 1],
  ['cohere2', 0.1, 1],
  ['stablelm', 0.1, 1],
  ['stablelm-qk-parallel', 0.1, 1],
  ['starcoder2', 0.1, 1],
  ['phi', 0.1, 1],
  ['mamba', 0.08, 0.5],
  ['falcon_mamba', 0.08, 0.5],
  ['mamba2', 0.08, 0.5],
]

describe.each(BOUNDS)('%s', (name, int8, int4) => {
  test.each([
    ['int8', int8],
    ['int4', int4],
  ] as const)('in %s has exact rows and logits within %d of the reference on average', async (format, bound) => {
    const fixture = await checkpointFixture(name)
    await using lm = await loadCausalLM(await fixture.open(), { format })
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
    await using cache = lm.createCache()
    const tokens = Int32Array.from(fixture.inputIds[0] ?? [])
    const { logits } = await lm.forward({ tokens, cache, want: { logits: 'all' }, sequenceLength: tokens.length })
    const expected = await fixture.expected('logits')
    expect(meanDifference(logits?.data ?? new Float32Array(0), expected.subarray(0, expected.length / 2))).toBeLessThan(bound)
  })
})

function meanDifference(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length)
  let sum = 0
  for (let at = 0; at < expected.length; at++) sum += Math.abs((found[at] ?? 0) - (expected[at] ?? 0))
  return sum / expected.length
}
