// readme:start
import { decodeToFloat32, losslessFormat, openWeights, packStored } from '@foretoken/weights'

const path = `${import.meta.dirname}/fixtures/gguf/tiny-llama-q4_1.gguf` // or a folder with model.safetensors
await using store = await openWeights(path)
store.tensors.get('blk.0.attn_k.weight') // { encoding: 'Q4_1', shape: [128, 256], … }: outputs first, also in GGUF
store.metadata.get('general.architecture') // 'llama'

const stored = await store.read('blk.0.attn_k.weight') // the bytes as they lie in the file; only now are they read
const values = decodeToFloat32(stored) // Float32Array [128 * 256]
const int8 = packStored(stored, { kind: 'int8-rows' }) // quantised a few rows at a time
const kept = packStored(stored, losslessFormat('Q4_1') ?? { kind: 'f32' }) // the file's own 4-bit integers

// readme:end
import { expect, test } from 'vitest'

test('the snippet of the README opens, decodes and packs a weight', () => {
  expect(store.tensors.get('blk.0.attn_k.weight')).toMatchObject({ encoding: 'Q4_1', shape: [128, 256] })
  expect(store.metadata.get('general.architecture')).toBe('llama')
  expect(values).toHaveLength(128 * 256)
  expect(int8.parts.values).toHaveLength(128 * 256)
  expect(kept.format).toEqual({ kind: 'blocks', bits: 4, blockSize: 32, hasMinima: true })
})
