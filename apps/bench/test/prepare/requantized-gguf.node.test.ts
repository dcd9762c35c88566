import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeToFloat32, openWeights, quantizeBlocks, writeGguf } from '@foretoken/weights'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requantizedGguf, typedValue } from '../../src/prepare/requantized-gguf.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function rewritten(encoding: 'Q4_0' | 'Q8_0') {
  const source = join(folder, `${encoding}-source.gguf`)
  const values = Float32Array.from({ length: 64 }, (_, at) => Math.sin(at))
  const norm = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
  const tensors = [
    { name: 'linear', encoding: 'Q4_1', shape: [2, 32], bytes: quantizeBlocks(values, 'Q4_1') },
    { name: 'embedding', encoding: 'Q8_0', shape: [2, 32], bytes: quantizeBlocks(values, 'Q8_0') },
    { name: 'norm', encoding: 'F32', shape: [4], bytes: norm },
  ] as const
  const metadata = new Map([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.file_type', { type: 'uint32', value: 3 }],
  ] as const)
  await writeFile(source, Buffer.concat(writeGguf(tensors, metadata)))
  const target = join(folder, `${encoding}.gguf`)
  await writeFile(target, Buffer.concat(await requantizedGguf(source, encoding)))
  return { source: await openWeights(source), target: await openWeights(target) }
}

test('4-bit tensors change their format, others keep it byte for byte', async () => {
  const { source, target } = await rewritten('Q8_0')
  expect([...target.tensors.values()].map(({ name, encoding }) => [name, encoding])).toEqual([
    ['linear', 'Q8_0'],
    ['embedding', 'Q8_0'],
    ['norm', 'F32'],
  ])
  for (const name of ['embedding', 'norm']) expect((await target.read(name)).bytes).toEqual((await source.read(name)).bytes)
})

test('values of 8 bits are within half a step of those of the file', async () => {
  const { source, target } = await rewritten('Q8_0')
  const [before, after] = [decodeToFloat32(await source.read('linear')), decodeToFloat32(await target.read('linear'))]
  // Values up to 1 in steps of 1/127, and a scale rounded to half precision.
  before.forEach((value, at) => {
    expect(Math.abs(value - (after[at] ?? 0))).toBeLessThan(0.5 / 127 + 0.001)
  })
})

test('the file says its new type', async () => {
  const { target } = await rewritten('Q4_0')
  expect(target.metadata.get('general.file_type')).toBe(2)
})

test('metadata get the types that llama.cpp reads them as', () => {
  expect(typedValue('llama.block_count', 30)).toEqual({ type: 'uint32', value: 30 })
  expect(typedValue('llama.attention.layer_norm_rms_epsilon', 1)).toEqual({ type: 'float32', value: 1 })
  expect(typedValue('llama.rope.freq_base', 10_000)).toEqual({ type: 'float32', value: 10_000 })
  expect(typedValue('tokenizer.ggml.add_bos_token', false)).toEqual({ type: 'bool', value: false })
  expect(typedValue('tokenizer.ggml.token_type', [1])).toEqual({
    type: 'array',
    elementType: 'int32',
    values: [{ type: 'int32', value: 1 }],
  })
  expect(typedValue('tokenizer.ggml.tokens', ['a'])).toEqual({
    type: 'array',
    elementType: 'string',
    values: [{ type: 'string', value: 'a' }],
  })
  expect(typedValue('tokenizer.ggml.scores', [1])).toEqual({
    type: 'array',
    elementType: 'float32',
    values: [{ type: 'float32', value: 1 }],
  })
})
