import { expect, test } from 'vitest'
import { readModelReference } from '../../src/locate/model-reference.ts'

test.each([
  ['a/b', { kind: 'hub', repository: 'a/b', revision: 'main' }],
  ['a/b@v1.0', { kind: 'hub', repository: 'a/b', revision: 'v1.0' }],
  ['a/b@refs/pr/1', { kind: 'hub', repository: 'a/b', revision: 'refs/pr/1' }],
  ['a/b-Q4.5_x/file.Q4_1.gguf', { kind: 'hub', repository: 'a/b-Q4.5_x', revision: 'main', file: 'file.Q4_1.gguf' }],
  ['a/b/sub/file.gguf', { kind: 'hub', repository: 'a/b', revision: 'main', file: 'sub/file.gguf' }],
  ['a/b@v1/file.gguf', { kind: 'hub', repository: 'a/b', revision: 'v1', file: 'file.gguf' }],
  ['a/b@refs/pr/1/file.gguf', { kind: 'hub', repository: 'a/b', revision: 'refs/pr/1', file: 'file.gguf' }],
  ['./a/b', { kind: 'path', path: './a/b' }],
  ['/a/b', { kind: 'path', path: '/a/b' }],
  ['../a/b', { kind: 'path', path: '../a/b' }],
  ['C:\\a\\b', { kind: 'path', path: 'C:\\a\\b' }],
  ['model.gguf', { kind: 'path', path: 'model.gguf' }],
  ['folder/model.gguf', { kind: 'path', path: 'folder/model.gguf' }],
  ['name', { kind: 'path', path: 'name' }],
  ['', { kind: 'path', path: '' }],
  ['a/b/c', { kind: 'path', path: 'a/b/c' }],
])('%j is read as %j', (text, expected) => {
  expect(readModelReference(text, false)).toEqual(expected)
})

test('what exists on the disk is a path', () => {
  expect(readModelReference('a/b', true)).toEqual({ kind: 'path', path: 'a/b' })
})
