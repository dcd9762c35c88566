import { expect } from 'vitest'
import type { CausalLM } from '../src/index.ts'

const MOST_ROWS = 16

/** After a past that crosses a cut, every row of a step of 1 to 16 rows has the bits that it has in a step of its own. */
export async function expectExactRows(lm: CausalLM, past: number): Promise<void> {
  const tokens = Int32Array.from({ length: past + MOST_ROWS }, (_, at) => (at * 37 + (at >> 3)) % 240)
  await using start = lm.createCache()
  while (start.length < past) {
    const rows = Math.min(64, lm.maxSteps(start), past - start.length)
    start.append((await lm.forward({ tokens: tokens.slice(start.length, start.length + rows), cache: start, want: {} })).rows)
  }
  const { vocab } = lm.config
  const alone: Float32Array[] = []
  await using cache = start.fork()
  for (let row = 0; row < MOST_ROWS; row++) {
    const { logits, rows } = await lm.forward({ tokens: tokens.slice(past + row, past + row + 1), cache, want: { logits: 'last' } })
    alone.push(logits?.data.slice() ?? new Float32Array(0))
    cache.append(rows)
  }
  for (let rows = 1; rows <= MOST_ROWS; rows++) {
    await using fork = start.fork()
    const { logits } = await lm.forward({ tokens: tokens.slice(past, past + rows), cache: fork, want: { logits: 'all' } })
    for (let row = 0; row < rows; row++) {
      // compared by hand: a vocabulary of 49,152 would take the matcher seconds
      const found = logits?.data.subarray(row * vocab, (row + 1) * vocab)
      const differs = alone[row]?.findIndex((value, at) => !Object.is(value, found?.[at])) ?? 0
      expect(differs, `row ${row} of ${rows} after ${past}: logit ${differs}`).toBe(-1)
    }
  }
}
