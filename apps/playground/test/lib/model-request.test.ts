import { describe, expect, test } from 'vitest'
import { DEFAULT_MODEL, parseHubId, requestName, requestOfFiles } from '../../src/lib/model-request.ts'

const file = (path: string) => ({ path, file: new File(['x'], path.split('/').at(-1) ?? path) })
const pathsOf = (...paths: readonly string[]) => {
  const request = requestOfFiles(paths.map(file))
  return request.kind === 'files' ? { name: request.name, paths: [...request.files.keys()] } : undefined
}

describe('ids of the hub', () => {
  test.each([
    ['org/name', 'org/name'],
    ['  org/name/ ', 'org/name'],
    ['org/name@v1.0', 'org/name@v1.0'],
    ['org/name/model-q4.gguf', 'org/name/model-q4.gguf'],
    ['https://huggingface.co/org/name', 'org/name'],
    ['https://huggingface.co/org/name/tree/main', 'org/name'],
    ['https://huggingface.co/org/name/tree/abc123', 'org/name@abc123'],
    ['https://huggingface.co/org/name/blob/main/model.gguf', 'org/name/model.gguf'],
    ['https://huggingface.co/org/name/resolve/main/model.gguf?download=true', 'org/name/model.gguf'],
    [DEFAULT_MODEL.id, DEFAULT_MODEL.id],
  ])('%s is %s', (text, id) => {
    expect(parseHubId(text)).toEqual({ kind: 'hub', id })
  })

  test.each(['', 'name', 'org/name/model.bin', 'org/../name', 'org/na me', 'https://example.com/org/name', '<img>/x'])(
    '“%s” is refused',
    (text) => {
      expect(() => parseHubId(text)).toThrow(/expected organisation\/name/)
    },
  )
})

describe('files', () => {
  test('one GGUF file is a model, whatever lies beside it', () => {
    expect(pathsOf('readme.md', 'Model.GGUF')).toEqual({ name: 'Model.GGUF', paths: ['Model.GGUF'] })
  })

  test('a folder is a model with all of its files, by their paths in it', () => {
    expect(pathsOf('tiny/config.json', 'tiny/model.safetensors', 'tiny/tokenizer.json')).toEqual({
      name: 'tiny',
      paths: ['config.json', 'model.safetensors', 'tokenizer.json'],
    })
  })

  test('files outside of the folder with config.json do not belong to it', () => {
    expect(pathsOf('a/notes.txt', 'a/tiny/config.json', 'a/tiny/model.safetensors')?.paths).toEqual(['config.json', 'model.safetensors'])
  })

  test.each([
    ['nothing', [], /found no files/],
    ['a picture', ['cat.png'], /found cat\.png/],
    ['many files', ['1', '2', '3', '4', '5'], /found 1, 2, 3 and 2 more/],
    ['weights alone', ['model.safetensors'], /safetensors without config\.json/],
    ['a config alone', ['config.json'], /config\.json without safetensors/],
    ['two models', ['a.gguf', 'b.gguf'], /2 \.gguf files/],
  ])('%s is refused', (_, paths, message) => {
    expect(() => requestOfFiles(paths.map(file))).toThrow(message)
  })
})

test('names for people are short', () => {
  expect(requestName(parseHubId(DEFAULT_MODEL.id))).toBe('SmolLM2 135M Instruct')
  expect(requestName(parseHubId('org/name@v1'))).toBe('org/name')
  expect(requestName(parseHubId('org/name/model-q4.gguf'))).toBe('model-q4.gguf')
})
