import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCheckpoint } from '@foretoken/models'
import { type GgufValue, openWeights, writeGguf } from '@foretoken/weights'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ModelShape, parametersOf, SHAPES } from '../../src/shapes/shape.ts'
import { tensorsOf, writeShapeFile } from '../../src/shapes/shape-file.ts'

const SHAPE: ModelShape = { name: 'tiny', layers: 2, hidden: 64, heads: 4, kvHeads: 2, headDim: 32, inner: 96, vocab: 40 }

let folder = ''
let tokenizerFrom = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-shapes-'))
  tokenizerFrom = join(folder, 'tokenizer.gguf')
  const strings = (...values: string[]): GgufValue => ({
    type: 'array',
    elementType: 'string',
    values: values.map((value) => ({ type: 'string', value })),
  })
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'smollm' }],
    ['tokenizer.ggml.tokens', strings('a', 'b', 'ab')],
    ['tokenizer.ggml.token_type', { type: 'array', elementType: 'int32', values: [1, 1, 1].map((value) => ({ type: 'int32', value })) }],
    ['tokenizer.ggml.merges', strings('a b')],
    ['tokenizer.ggml.bos_token_id', { type: 'uint32', value: 0 }],
    ['tokenizer.ggml.eos_token_id', { type: 'uint32', value: 1 }],
  ])
  await writeFile(tokenizerFrom, Buffer.concat(writeGguf([], metadata)))
})
afterAll(() => rm(folder, { recursive: true }))

async function written(encoding: 'Q4_0' | 'Q4_1' | 'Q8_0'): Promise<string> {
  const file = join(folder, `${encoding}.gguf`)
  await writeShapeFile(file, { shape: SHAPE, encoding, tokenizerFrom })
  return file
}

test('a written file opens as a checkpoint of its sizes', async () => {
  await using checkpoint = await openCheckpoint(await written('Q4_1'))
  const { layers, hidden, heads, kvHeads, headDim, vocab } = SHAPE
  expect(checkpoint.description.config).toMatchObject({ layers, hidden, heads, kvHeads, headDim, vocab })
})

test('products have the encoding that was asked for, the table 8 bits, norms are ones', async () => {
  await using store = await openWeights(await written('Q4_0'))
  expect(store.tensors.get('blk.1.ffn_down.weight')).toMatchObject({ encoding: 'Q4_0', shape: [64, 96] })
  expect(store.tensors.get('token_embd.weight')).toMatchObject({ encoding: 'Q8_0', shape: [40, 64] })
  const { bytes } = await store.read('blk.0.attn_norm.weight')
  expect(new Float32Array(bytes.buffer)).toEqual(new Float32Array(64).fill(1))
})

test('two layers do not have the same weights', async () => {
  await using store = await openWeights(await written('Q8_0'))
  const [first, second] = [await store.read('blk.0.attn_q.weight'), await store.read('blk.1.attn_q.weight')]
  expect(first.bytes).not.toEqual(second.bytes)
})

test('the vocabulary is filled up with unused tokens, and not cut', async () => {
  await using store = await openWeights(await written('Q8_0'))
  const tokens = store.metadata.get('tokenizer.ggml.tokens')
  expect(tokens).toHaveLength(40)
  expect(tokens).toMatchObject({ 2: 'ab', 3: '<unused 3>' })
  const small = { shape: { ...SHAPE, vocab: 2 }, encoding: 'Q8_0', tokenizerFrom } as const
  await expect(writeShapeFile(join(folder, 'small.gguf'), small)).rejects.toThrow(/found a vocabulary of 2/)
})

test('parameters are those of all matrices, and near those that the names say', () => {
  const elements = (shape: ModelShape) =>
    tensorsOf(shape, 'Q4_1').reduce((sum, { dims }) => sum + (dims.length === 2 ? (dims[0] ?? 0) * (dims[1] ?? 0) : 0), 0)
  for (const shape of SHAPES) expect(parametersOf(shape), shape.name).toBe(elements(shape))
  const millions = (name: string) => {
    const shape = SHAPES.find((each) => each.name === name)
    return shape === undefined ? 0 : Math.round(parametersOf(shape) / 1e6)
  }
  // as their model cards say
  expect(millions('smollm2-360m')).toBe(362)
  expect(millions('smollm2-1.7b')).toBe(1711)
  expect(millions('llama-3.2-1b')).toBe(1236)
})
