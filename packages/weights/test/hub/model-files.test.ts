import { expect, test } from 'vitest'
import { pickModelFiles, preferredGguf } from '../../src/hub/model-files.ts'

const files = (...paths: string[]) => paths.map((path) => ({ path }))
const pick = (paths: string[], options?: Parameters<typeof pickModelFiles>[1]) =>
  pickModelFiles(files(...paths), options).map(({ path }) => path)

test('configuration, tokenizer and template come before the weights; the rest is left', () => {
  const repository = [
    '.gitattributes',
    'README.md',
    'model.safetensors',
    'config.json',
    'tokenizer.json',
    'chat_template.jinja',
    'onnx/model.onnx',
  ]
  expect(pick(repository)).toEqual(['config.json', 'tokenizer.json', 'chat_template.jinja', 'model.safetensors'])
})

test('shards come with their index, and nothing of another set', () => {
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
  expect(pick([...shards, 'consolidated.safetensors', 'model.safetensors.index.json'])).toEqual(['model.safetensors.index.json', ...shards])
})

test('a missing shard is named', () => {
  expect(() => pick(['model-00001-of-00002.safetensors', 'model.safetensors.index.json'])).toThrow('model-00002-of-00002.safetensors')
})

test('safetensors that are not a model are not taken for one', () => {
  expect(() => pick(['adapter.safetensors', 'config.json'])).toThrow(/adapter\.safetensors/)
  expect(() => pick(['model.safetensors.index.json'])).toThrow(/no shard/)
})

test('pickled weights are never taken, and the error names safetensors', () => {
  expect(pick(['model.safetensors', 'pytorch_model.bin'])).toEqual(['model.safetensors'])
  expect(() => pick(['config.json', 'pytorch_model.bin', 'x.pt'])).toThrow(/pytorch_model\.bin.*safetensors/)
})

test('GGUF is taken where there are no safetensors, or on wish', () => {
  expect(pick(['m.Q4_K_M.gguf', 'm.Q8_0.gguf', 'config.json'])).toEqual(['config.json', 'm.Q8_0.gguf'])
  expect(pick(['model.safetensors', 'm.Q4_1.gguf'], { prefer: { kind: 'gguf' } })).toEqual(['m.Q4_1.gguf'])
})

test('a GGUF is chosen by its path or by a part of its name', () => {
  const repository = ['m-Q4_1.gguf', 'm-Q8_0.gguf', 'mmproj-m-F16.gguf']
  expect(pick(repository, { prefer: { kind: 'gguf', name: 'q4_1' } })).toEqual(['m-Q4_1.gguf'])
  expect(pick(repository, { prefer: { kind: 'gguf', name: 'm-Q8_0.gguf' } })).toEqual(['m-Q8_0.gguf'])
  expect(() => pick(repository, { prefer: { kind: 'gguf', name: 'Q2_K' } })).toThrow(/m-Q4_1\.gguf.*Q2_K/)
})

test('a split GGUF comes with all its parts', () => {
  const parts = ['m-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf']
  expect(pick(parts)).toEqual(parts)
  expect(() => pick(parts.slice(0, 1))).toThrow('m-Q8_0-00002-of-00002.gguf')
})

test('a repository without weights is refused', () => {
  expect(() => pick(['README.md'], { repository: 'a/b' })).toThrow(/a\/b: found no weights/)
})

test('the preferred GGUF does not depend on the order of the listing', () => {
  const paths = ['b-F16.gguf', 'a-Q4_0.gguf', 'a-Q5_K_M.gguf', 'c.gguf']
  expect(preferredGguf(files(...paths))?.path).toBe('a-Q5_K_M.gguf')
  expect(preferredGguf(files(...paths.toReversed()))?.path).toBe('a-Q5_K_M.gguf')
})
