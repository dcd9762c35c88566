/** Opens two checkpoints in float32 and compares what they compute, bit for bit. */
import { expect } from 'vitest'
import { loadCausalLM } from '../src/index.ts'

export async function logitsOf(path: string, tokens: readonly number[]): Promise<Float32Array> {
  await using lm = await loadCausalLM(path, { format: 'f32', selfTest: false })
  await using cache = lm.createCache()
  const { logits } = await lm.forward({
    tokens: Int32Array.from(tokens),
    cache,
    want: { logits: 'all' },
    sequenceLength: tokens.length,
  })
  return logits?.data ?? new Float32Array(0)
}

export async function expectSameLogits(a: string, b: string, tokens: readonly number[]): Promise<void> {
  const found = await logitsOf(a, tokens)
  expect(found.length).toBeGreaterThan(0)
  expect(found).toEqual(await logitsOf(b, tokens))
}
