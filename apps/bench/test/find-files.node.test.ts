import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DEFAULT_MODEL_FILE, findModel, findText, findTokenizer, promptOf } from '../src/find-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'foretoken-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('the model is found in any of the folders', () => {
  const models = join(folder, 'models')
  mkdirSync(models)
  writeFileSync(join(models, DEFAULT_MODEL_FILE), '')
  expect(findModel({ FORETOKEN_MODELS: [folder, models].join(delimiter) })).toBe(join(models, DEFAULT_MODEL_FILE))
  expect(findModel({})).toBeUndefined()
})

test('the tokenizer is in the folder that has the name of the model without its format', () => {
  mkdirSync(join(folder, 'some-model'))
  writeFileSync(join(folder, 'some-model', 'tokenizer.json'), '{}')
  expect(findTokenizer(join(folder, 'some-model-q4_1.gguf'))).toBe(join(folder, 'some-model'))
  expect(findTokenizer(join(folder, 'other-model-q4_1.gguf'))).toBeUndefined()
})

test('the text is the ids of the fixture', () => {
  mkdirSync(join(folder, 'smollm2-135m-instruct'))
  writeFileSync(join(folder, 'smollm2-135m-instruct', 'perplexity.json'), JSON.stringify({ how: '', texts: { a: { ids: [5, 6] } } }))
  expect(findText({ FORETOKEN_FIXTURES: folder })).toEqual([5, 6])
  expect(findText({})).toBeUndefined()
})

test('a prompt longer than the text begins it again', () => {
  expect(promptOf([7, 8, 9], 5)).toEqual([7, 8, 9, 7, 8])
})
