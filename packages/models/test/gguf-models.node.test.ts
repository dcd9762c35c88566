import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { decodeToFloat32, openWeights } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { type CausalLM, loadCausalLM } from '../src/index.ts'
import { largestDifference } from './checkpoint-fixture.ts'
import { fixturesFolder } from './large-fixtures.ts'

async function expected(file: string, name: string): Promise<Float32Array> {
  await using store = await openWeights(file)
  return decodeToFloat32(await store.read(name))
}

async function checkLogits(model: string, format: 'f32' | 'stored'): Promise<{ lm: CausalLM; difference: number }> {
  const reference = model.replace(/\.gguf$/, '.expected.safetensors')
  const tokens = Int32Array.from(await expected(reference, 'input_ids'))
  const lm = await loadCausalLM(model, { format })
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens, cache, want: { logits: 'all' } })
  return { lm, difference: largestDifference(logits?.data ?? [], await expected(reference, 'logits')) }
}

const all =
  fixturesFolder === undefined ? [] : readdirSync(join(fixturesFolder, 'gguf')).filter((name) => /^tiny-llama-.*\.gguf$/.test(name))
describe.skipIf(fixturesFolder === undefined)('every tensor type of GGUF (needs FORETOKEN_FIXTURES)', () => {
  test.each(all)('%s gives the logits of the reference in float32', async (name) => {
    const { lm, difference } = await checkLogits(join(fixturesFolder ?? '', 'gguf', name), 'f32')
    await using _ = lm
    expect(difference, basename(name)).toBeLessThan(1e-4)
  })

  test.each(all)('%s runs as it is stored, with rows that are the same bits alone and together', async (name) => {
    const { lm } = await checkLogits(join(fixturesFolder ?? '', 'gguf', name), 'stored')
    await using _ = lm
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
  })
})
