import { expect } from 'vitest'
import { type Checkpoint, loadCausalLM } from '../src/index.ts'
import { logitsOf } from './checkpoint-variants.ts'

/** A file of Q8_0 blocks runs with these very blocks, gives the logits of its decoded weights, and its rows are exact. */
export async function expectStoredBlocks(open: () => Promise<Checkpoint>, tokens: Int32Array): Promise<void> {
  const decoded = await logitsOf(await open(), tokens, 'f32')
  const found = await logitsOf(await open(), tokens, 'stored')
  const difference = found.reduce((sum, value, at) => sum + Math.abs(value - (decoded[at] ?? 0)), 0) / found.length
  // the weights are the same; what differs is the rounding of activations to 8 bits, on logits of a standard deviation of 1.7
  expect(difference).toBeLessThan(0.05)
  await using lm = await loadCausalLM(await open(), { format: 'stored' })
  expect(lm.plan.formats.linear).toBe('int8-blocks-32')
  expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
}
