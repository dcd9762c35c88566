import { argmax } from '@foretoken/tensor'
import type { CausalLM } from '../src/index.ts'

/** Plain greedy decoding with a cache, one token per step. */
export async function greedyTokens(lm: CausalLM, prompt: readonly number[], count: number): Promise<number[]> {
  await using cache = lm.createCache()
  const ids: number[] = []
  let tokens = Int32Array.from(prompt)
  while (ids.length < count) {
    const { logits, rows } = await lm.forward({ tokens, cache, want: { logits: 'last' } })
    cache.append(rows)
    const next = argmax(logits?.data ?? new Float32Array(0))
    ids.push(next)
    tokens = Int32Array.of(next)
  }
  return ids
}
