/** A small GGUF file that llama.cpp's own quantiser wrote; all its types are in `gguf-models.node.test.ts`, which needs larger fixtures. */
import { bytesSource, openGguf } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { ggufCheckpoint } from '../src/checkpoint/gguf-checkpoint.ts'
import { type CausalLM, loadCausalLM } from '../src/index.ts'
import { largestDifference } from './checkpoint-fixture.ts'
import { fixtureBytes, fixtureTensor } from './fixture-bytes.ts'

const NAME = 'gguf/tiny-llama-q4_k.gguf'
const REFERENCE = 'gguf/tiny-llama-q4_k.expected.safetensors'
const open = async () => ggufCheckpoint(await openGguf(bytesSource(await fixtureBytes(NAME))), NAME)

async function checkLogits(format: 'f32' | 'stored'): Promise<{ lm: CausalLM; difference: number }> {
  const tokens = Int32Array.from(await fixtureTensor(REFERENCE, 'input_ids'))
  const lm = await loadCausalLM(await open(), { format })
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens, cache, want: { logits: 'all' } })
  return { lm, difference: largestDifference(logits?.data ?? [], await fixtureTensor(REFERENCE, 'logits')) }
}

test('a GGUF of Q4_K blocks gives the logits of the reference in float32', async () => {
  const { lm, difference } = await checkLogits('f32')
  await using _ = lm
  expect(difference).toBeLessThan(1e-4)
  expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
})

test('the blocks of a Q4_K file run as they are stored', async () => {
  const { lm, difference } = await checkLogits('stored')
  await using _ = lm
  expect(lm.plan.formats.linear).toBe('int4-blocks-32-minima')
  expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
  // weights are the file's own; what differs is the rounding of activations to 8 bits
  expect(difference).toBeLessThan(0.25)
})

test('a GGUF carries its own tokenizer', async () => {
  await using lm = await loadCausalLM(await open(), { selfTest: false })
  const ids = lm.tokenizer?.encode('hello', { addSpecialTokens: false }) ?? []
  expect(lm.tokenizer?.decode(ids)).toBe('hello')
})
