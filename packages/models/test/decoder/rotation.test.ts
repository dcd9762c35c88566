/**
 * A rotated residual stream: in float32 the logits are those of the reference, which proves the algebra; in rows of integers they stay near.
 */
import { loadRuntime } from '@foretoken/runtime'
import { randomRotation } from '@foretoken/tensor'
import { bytesSource, openGguf } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import type { LoraAdapter } from '../../src/adapters/lora-adapter.ts'
import type { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { ggufCheckpoint } from '../../src/checkpoint/gguf-checkpoint.ts'
import { choosePacking, packingFor } from '../../src/decoder/packing.ts'
import { type CausalLM, loadCausalLM, type WeightFormat } from '../../src/index.ts'
import { loadPacked } from '../../src/load.ts'
import { backend } from '../backend.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { CHECKPOINTS } from '../checkpoint-names.ts'
import { fixtureBytes } from '../fixture-bytes.ts'

const TOLERANCE = 1e-4
/** Mean absolute difference of logits with a standard deviation of about 1.6; 0.086 is the largest that was measured. */
const ROUNDING = 0.15
const runtime = await loadRuntime({ threads: 2 })

async function allowsRotation(name: string): Promise<boolean> {
  await using checkpoint = await (await checkpointFixture(name)).open()
  return checkpoint.description.allowsRotation ?? false
}
const rotated: string[] = []
for (const name of CHECKPOINTS) if (await allowsRotation(name)) rotated.push(name)

/** In float32, and rotated. */
const inFloats: typeof choosePacking = ({ description }) => {
  const rotation = randomRotation(description.config.hidden, 1)
  if (rotation === undefined) throw new RangeError(`no rotation of ${description.config.hidden}`)
  return { packing: { format: 'f32', rotation }, notes: [] }
}

async function logitsOf(lm: CausalLM, tokens: readonly number[]): Promise<Float32Array> {
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: Int32Array.from(tokens), cache, want: { logits: 'all' }, sequenceLength: tokens.length })
  return logits?.data ?? new Float32Array(0)
}

function meanDifference(found: Float32Array, expected: Float32Array): number {
  let sum = 0
  for (let at = 0; at < found.length; at++) sum += Math.abs((found[at] ?? 0) - (expected[at] ?? 0))
  return sum / found.length
}

test('the families of RMS norms before blocks are rotated, and no others', () => {
  const families = new Set(rotated.map((name) => name.split('-')[0]))
  expect([...families].sort()).toEqual(
    ['gemma', 'granite', 'llama', 'mistral', 'mixtral', 'phi3', 'qwen2', 'qwen2_moe', 'qwen3', 'qwen3_moe', 'smollm3'].sort(),
  )
})

describe.each(rotated)('%s', (name) => {
  test('rotated in float32 gives the logits and hidden states of the reference', async () => {
    const fixture = await checkpointFixture(name)
    await using lm = await loadPacked(await fixture.open(), { runtime }, inFloats)
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
    const expected = await fixture.expected('logits')
    const [tokens = []] = fixture.inputIds
    expect(largestDifference(await logitsOf(lm, tokens), expected.subarray(0, expected.length / 2))).toBeLessThan(TOLERANCE)

    await using cache = lm.createCache()
    const { layers, hidden } = lm.config
    const indices = [...Array.from({ length: layers }, (_, index) => index), 'final' as const]
    const result = await lm.forward({ tokens: Int32Array.from(tokens), cache, want: { hidden: indices }, sequenceLength: tokens.length })
    const states = await fixture.expected('hidden_states')
    for (const [index, state] of (result.hidden ?? []).entries()) {
      const start = 2 * index * tokens.length * hidden
      expect(largestDifference(state.data, states.subarray(start, start + tokens.length * hidden)), `hidden state ${index}`).toBeLessThan(
        TOLERANCE,
      )
    }
  })

  test('rotated rows of integers are exact, and their logits near the reference', async () => {
    const fixture = await checkpointFixture(name)
    await using lm = await loadCausalLM(await fixture.open(), { runtime, format: 'int8-rows' })
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
    expect(lm.plan.notes.join('; ')).toContain('the residual stream is rotated')
    const expected = await fixture.expected('logits')
    const found = await logitsOf(lm, fixture.inputIds[0] ?? [])
    expect(meanDifference(found, expected)).toBeLessThan(ROUNDING)
  })
})

test('embeddings that are fed give the logits of their tokens', async () => {
  const fixture = await checkpointFixture('llama')
  await using lm = await loadPacked(await fixture.open(), { runtime }, inFloats)
  const tokens = Int32Array.from(fixture.inputIds[0] ?? [])
  await using cache = lm.createCache()
  const { hidden } = await lm.forward({ tokens, cache, want: { hidden: [0] } })
  const { logits } = await lm.forward({ tokens: Float32Array.from(hidden?.[0]?.data ?? []), cache, want: { logits: 'all' } })
  expect(largestDifference(logits?.data ?? [], await logitsOf(lm, [...tokens]))).toBeLessThan(TOLERANCE)
})

describe('what is rotated', () => {
  const adapter: LoraAdapter = { name: 'beside', mode: 'runtime', scale: 1, path: '', fingerprint: '', pairs: [] }

  async function chosenFor(open: () => Promise<Checkpoint>, format: WeightFormat, adapters: readonly LoraAdapter[] = []) {
    await using checkpoint = await open()
    const { packing, notes } = choosePacking(checkpoint, format, adapters)
    return { format: packing.format, width: packing.rotation?.width, notes: notes.join('; ') }
  }
  const fixture = (name: string) => async () => (await checkpointFixture(name)).open()
  const quantized = async () => ggufCheckpoint(await openGguf(bytesSource(await fixtureBytes('gguf/tiny-llama-q4_k.gguf'))), 'tiny')

  test('without a format, a quantised file', async () => {
    expect(await chosenFor(quantized, 'auto')).toMatchObject({ format: 'int8-rows', width: 256 })
  })

  test('no file of floats, and no other format', async () => {
    expect(await chosenFor(fixture('llama'), 'auto')).toEqual({ format: 'auto', notes: '' })
    for (const format of ['f32', 'int8', 'int4', 'stored'] as const)
      expect(await chosenFor(quantized, format)).toEqual({ format, notes: '' })
  })

  test('weights that an adapter is merged into, but not those that one runs beside', async () => {
    expect(await chosenFor(quantized, 'auto', [{ ...adapter, mode: 'merge' }])).toMatchObject({ format: 'int8-rows', width: 256 })
    const beside = await chosenFor(quantized, 'auto', [adapter])
    expect(beside).toMatchObject({ format: 'auto', notes: expect.stringContaining('adapters run beside the weights') })
    expect(beside.width).toBeUndefined()
  })

  test('no stream of layer norms: rows of integers say that they lose quality', async () => {
    const plain = await chosenFor(fixture('gpt_neox'), 'int8-rows')
    expect(plain).toMatchObject({
      format: 'int8-rows',
      notes: expect.stringContaining('the residual stream of gpt_neox cannot be rotated'),
    })
    expect(plain.width).toBeUndefined()
  })
})

test('on wasm, wide products are cut by columns', async () => {
  const { splitColumns } = await packingFor(runtime, { packing: { format: 'int8-rows' }, notes: [] })
  expect(splitColumns).toBe(backend === 'node' ? undefined : 768)
})
