import { expect, test } from 'vitest'
import { type CausalLM, loadCausalLM, type StepResult } from '../src/index.ts'
import { selfTest } from '../src/self-test.ts'
import { checkpointFixture } from './checkpoint-fixture.ts'

/** The model with other results of shared steps. */
function withShared(lm: CausalLM, change: (result: StepResult, index: number) => StepResult): CausalLM {
  return {
    config: lm.config,
    capabilities: lm.capabilities,
    plan: lm.plan,
    generationDefaults: lm.generationDefaults,
    createCache: () => lm.createCache(),
    forward: (step) => lm.forward(step),
    forwardBatch: async (steps) => (await lm.forwardBatch(steps)).map(change),
    maxSteps: (cache) => lm.maxSteps(cache),
    memory: () => lm.memory(),
    [Symbol.asyncDispose]: async () => {},
  }
}

test('shared steps of another bit are noticed, and the sequence is named', async () => {
  const { open } = await checkpointFixture('llama')
  await using lm = await loadCausalLM(await open(), { format: 'f32' })
  expect(await selfTest(withShared(lm, (result) => result))).toEqual({ exact: true })
  const nudged = withShared(lm, (result, index) => {
    const { logits } = result
    if (index === 1 && logits !== undefined) logits.data[3] = (logits.data[3] ?? 0) + 1e-6
    return result
  })
  const found = await selfTest(nudged)
  expect(found.exact).toBe(false)
  expect(found.note).toMatch(/^the short one of two sequences in one run: logits differ by up to \S+ from a run of its own$/)
})

test('recurrent models say that their sequences run one after another', async () => {
  const { open } = await checkpointFixture('mamba')
  await using lm = await loadCausalLM(await open(), { format: 'f32' })
  expect(lm.capabilities.sharedSteps).toBe(false)
  expect(lm.plan.notes.join()).toMatch(/run one after another/)
  expect(lm.plan.exact).toBe(true)
})
