/** What `auto` means where products of blocks are slow: nothing in blocks, and the plan says why. */
import { fileURLToPath } from 'node:url'
import { loadRuntime, loadWasmRuntime } from '@foretoken/runtime'
import type { TensorInfo } from '@foretoken/weights'
import { expect, test } from 'vitest'
import type { LoraAdapter } from '../../src/adapters/lora-adapter.ts'
import type { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.ts'
import { choosePacking } from '../../src/decoder/packing.ts'
import { linearFormat } from '../../src/decoder/weight-formats.ts'
import { loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'

const wasm = await loadWasmRuntime({ threads: 2 })
const native = await loadRuntime({ threads: 2 })
const quantized = fileURLToPath(new URL('../fixtures/gguf/tiny-llama-q4_k.gguf', import.meta.url))
const beside: LoraAdapter = { name: 'beside', mode: 'runtime', scale: 1, path: '', fingerprint: '', pairs: [] }

/** The same model with matrices of so many elements more. */
function grown(checkpoint: Checkpoint, elements: number): Checkpoint {
  const { store } = checkpoint.weights
  const [first] = [...store.tensors.values()].filter(({ shape }) => shape.length === 2)
  if (first === undefined) throw new Error('found no matrix')
  const byteLength = Math.round((first.byteLength / first.shape.reduce((product, dim) => product * dim, 1)) * elements)
  const large: TensorInfo = { ...first, name: 'large', shape: [elements, 1], byteLength }
  const tensors = new Map([...store.tensors, ['large', large]])
  return { ...checkpoint, weights: { ...checkpoint.weights, store: { ...store, tensors } } }
}

test('a quantised file runs in rotated rows', async () => {
  await using checkpoint = await openCheckpoint(quantized)
  expect(choosePacking(checkpoint, 'auto', [], wasm).packing).toMatchObject({ format: 'int8-rows', rotation: { width: 256 } })
})

test('where its stream cannot be rotated, blocks become float32, and the plan says so', async () => {
  await using checkpoint = await openCheckpoint(quantized)
  const { packing, notes } = choosePacking(checkpoint, 'auto', [beside], wasm)
  expect(linearFormat({ ...packing, isSigned: false }, 'linear', 'Q4_K')).toEqual({ kind: 'f32' })
  expect(notes.join()).toMatch(/blocks of integers become float32.*adapters run beside the weights/)
  const { packing: onNative } = choosePacking(checkpoint, 'auto', [beside], native)
  expect(linearFormat({ ...onNative, isSigned: false }, 'linear', 'Q4_K').kind).toBe('blocks')
})

test('what would not fit in float32 runs in rows of integers, rotated where that is possible', async () => {
  await using checkpoint = await openCheckpoint(quantized)
  const large = grown(checkpoint, 2 ** 29)
  const plain = choosePacking(large, 'auto', [beside], wasm)
  expect(plain).toMatchObject({ packing: { format: 'int8-rows' }, notes: [expect.stringContaining('Float32 would not fit into wasm')] })
  expect(plain.packing.rotation).toBeUndefined()
  expect(choosePacking(large, 'auto', [], wasm).packing.rotation?.width).toBe(256)
})

test('floats stay floats as long as they fit', async () => {
  await using checkpoint = await openCheckpoint((await checkpointFixture('llama')).folder)
  expect(choosePacking(checkpoint, 'auto', [], wasm)).toEqual({ packing: { format: 'auto' }, notes: [] })
  const large = choosePacking(grown(checkpoint, 2 ** 29), 'auto', [], wasm)
  expect(large.packing.format).toBe('int8-rows')
  expect(large.notes.join()).toContain('floats are rounded to 8 bits')
  expect(choosePacking(grown(checkpoint, 2 ** 29), 'auto', [], native)).toEqual({ packing: { format: 'auto' }, notes: [] })
})

test('blocks that were asked for are given, with a note about their speed', async () => {
  await using checkpoint = await openCheckpoint(quantized)
  for (const format of ['int4', 'int8', 'stored'] as const) {
    expect(choosePacking(checkpoint, format, [], wasm)).toEqual({ packing: { format }, notes: [expect.stringContaining('in wasm')] })
    expect(choosePacking(checkpoint, format, [], native).notes).toEqual([])
  }
})

test('a quantised file opens without a product of blocks', async () => {
  await using lm = await loadCausalLM(quantized, { runtime: wasm })
  expect(lm.plan.formats).toMatchObject({ linear: 'int8-rows', head: 'int8-rows' })
  expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
})
