/** The first layers of a checkpoint against the whole one: its rows, and its hidden state behind them. */
import { join } from 'node:path'
import { loadCausalLM } from '@foretoken/models'
import { expect, test } from 'vitest'

const fixtures = process.env.FORETOKEN_FIXTURES
const models = process.env.FORETOKEN_MODELS
const checkpoint = (name: string) => join(fixtures ?? '', 'checkpoints', name)
const tokens = Int32Array.of(9, 4, 120, 33, 7)

test.skipIf(!fixtures).each([
  ['llama', 'f32'],
  ['llama', 'int8-rows'],
  ['qwen2-sliding', 'f32'],
  ['smollm3', 'f32'],
  ['gpt2', 'f32'],
  ['mamba', 'f32'],
  ['gemma3_text', 'f32'],
] as const)(
  '%s in %s: a model of the first layer has its rows, bit for bit, and its hidden state (needs FORETOKEN_FIXTURES)',
  async (name, format) => {
    await using whole = await loadCausalLM(checkpoint(name), { format })
    await using first = await loadCausalLM(checkpoint(name), { format, layers: 1 })
    expect(first.config).toEqual({ ...whole.config, layers: 1 })
    await using wholeCache = whole.createCache()
    await using firstCache = first.createCache()
    const all = await whole.forward({ tokens, cache: wholeCache, want: { hidden: [1] } })
    const own = await first.forward({ tokens, cache: firstCache, want: { hidden: [1], logits: 'last' } })
    expect(own.rows.layers).toEqual(all.rows.layers.slice(0, 1))
    // one operator adds and normalises where another layer follows
    for (const [i, value] of (own.hidden?.[0]?.data ?? []).entries()) expect(value).toBeCloseTo(all.hidden?.[0]?.data[i] ?? Number.NaN, 4)
    expect(own.logits?.data.length).toBe(whole.config.vocab)
    expect(first.plan.notes.join()).toMatch(/opened with its first 1 layers of/)
  },
  90_000,
)

test.skipIf(!fixtures).each([0, 3, 1.5, Number.NaN])('%s layers of 2 are refused (needs FORETOKEN_FIXTURES)', async (layers) => {
  await expect(loadCausalLM(checkpoint('llama'), { layers })).rejects.toMatchObject({ code: 'argument' })
})

test.skipIf(!fixtures)('all layers are the model itself (needs FORETOKEN_FIXTURES)', async () => {
  await using lm = await loadCausalLM(checkpoint('llama'), { layers: 2 })
  expect(lm.config.layers).toBe(2)
})

test.skipIf(!models)('the first 6 layers of a GGUF file open, with less memory (needs FORETOKEN_MODELS)', async () => {
  await using lm = await loadCausalLM(join(models ?? '', 'smollm2-135m-instruct-q4_1.gguf'), { layers: 6, selfTest: false })
  expect(lm.config.layers).toBe(6)
  expect(lm.memory().weightsBytes).toBeLessThan(90e6)
})
