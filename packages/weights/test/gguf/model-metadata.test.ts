import { checkGgufModel, type MetadataValue, WeightsFormatError } from '@foretoken/weights'
import { expect, test } from 'vitest'

function refusedField(entries: Readonly<Record<string, MetadataValue>>): string | undefined {
  try {
    checkGgufModel(new Map(Object.entries(entries)), 'model.gguf')
  } catch (error) {
    if (error instanceof WeightsFormatError) return error.where.field
    throw error
  }
  return undefined
}

const SOUND = {
  'general.architecture': 'llama',
  'llama.block_count': 2,
  'tokenizer.ggml.tokens': ['a', 'b'],
  'tokenizer.ggml.scores': [0, -1],
}

test('a model names its architecture and the number of its layers', () => {
  expect(checkGgufModel(new Map(Object.entries(SOUND)), 'model.gguf')).toEqual({ architecture: 'llama', blockCount: 2 })
})

test('a required key that is missing or of another type is refused', () => {
  expect(refusedField({ 'llama.block_count': 2 })).toBe('general.architecture')
  expect(refusedField({ 'general.architecture': 5, 'llama.block_count': 2 })).toBe('general.architecture')
  expect(refusedField({ 'general.architecture': 'llama' })).toBe('llama.block_count')
})

test('a number of layers of 0, 10^6, or no number is refused', () => {
  for (const count of [0, 1_000_000, 1.5, '2', [2]])
    expect(refusedField({ ...SOUND, 'llama.block_count': count })).toBe('llama.block_count')
})

test('scores and types of another length than the vocabulary are refused', () => {
  expect(refusedField({ ...SOUND, 'tokenizer.ggml.scores': [0] })).toBe('tokenizer.ggml.scores')
  expect(refusedField({ ...SOUND, 'tokenizer.ggml.token_type': [1, 1, 1] })).toBe('tokenizer.ggml.token_type')
  expect(refusedField({ ...SOUND, 'tokenizer.ggml.tokens': ['a', 1] })).toBe('tokenizer.ggml.tokens')
  expect(refusedField({ ...SOUND, 'tokenizer.ggml.tokens': 'a' })).toBe('tokenizer.ggml.tokens')
})
