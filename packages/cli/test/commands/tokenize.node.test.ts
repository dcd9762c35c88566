import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../run-command.ts'
import { LLAMA, tinyCheckpoint } from '../tiny-checkpoint.ts'

test('a text becomes its ids and tokens, and ids become the text', async () => {
  await using model = await tinyCheckpoint()
  const encoded = await runCommand(['tokenize', '--model', model.path, '--json', 'né'])
  expect({ ...encoded, out: JSON.parse(encoded.out) }).toEqual({
    status: 0,
    err: '',
    out: { ids: [110, 195, 169], tokens: ['n', 'Ã', '©'] },
  })
  const decoded = await runCommand(['tokenize', '--model', model.path, '--decode', '110 195 169'])
  expect(decoded.out).toBe('né\n')
})

test('control tokens in a text stay text unless asked', async () => {
  await using model = await tinyCheckpoint()
  const idsOf = async (...args: string[]) =>
    JSON.parse((await runCommand(['tokenize', '--model', model.path, '--json', ...args, '<s>'])).out).ids
  expect(await idsOf()).toEqual([60, 115, 62])
  expect(await idsOf('--parse-special')).toEqual([1])
})

test('control tokens are left out of decoded text unless asked', async () => {
  await using model = await tinyCheckpoint()
  const textOf = async (...args: string[]) => (await runCommand(['tokenize', '--model', model.path, '--decode', '1 97 2', ...args])).out
  expect(await textOf()).toBe('a\n')
  expect(await textOf('--special')).toBe('<s>a</s>\n')
})

test('the table has a line for each token', async () => {
  await using model = await tinyCheckpoint()
  expect((await runCommand(['tokenize', '--model', model.path, 'a!'])).out).toBe('97  "a"\n33  "!"\n2 tokens\n')
})

test('weights are not needed', async () => {
  await using model = await tinyCheckpoint()
  await rm(join(model.path, 'model.safetensors'))
  expect((await runCommand(['tokenize', '--model', model.path, 'a'])).out).toBe('97  "a"\n1 tokens\n')
})

test('a control character of decoded text is a picture on a terminal, and itself in a pipe', async () => {
  await using model = await tinyCheckpoint()
  const args = ['tokenize', '--model', model.path, '--decode', '27 91 97']
  expect((await runCommand(args, { isTTY: true })).out).toBe('\u241b[a\n')
  expect((await runCommand(args)).out).toBe('\u001b[a\n')
})

test('an id that is not in the vocabulary, and a model without a tokenizer, are errors', async () => {
  await using model = await tinyCheckpoint()
  const unknown = await runCommand(['tokenize', '--model', model.path, '--decode', '97 256'])
  expect(unknown).toEqual({ status: 1, out: '', err: 'error: --decode: found 256, expected ids of the vocabulary\n' })
  const without = await runCommand(['tokenize', '--model', LLAMA, 'a'])
  expect(without).toMatchObject({ status: 1, out: '', err: expect.stringContaining('no tokenizer files') })
})

test('text and --decode together are refused', async () => {
  expect(await runCommand(['tokenize', 'a', '--decode', '1'])).toMatchObject({ status: 2, out: '' })
})

const fixtures = process.env.FORETOKEN_FIXTURES
const models = process.env.FORETOKEN_MODELS
test.skipIf(!models || !fixtures)(
  'the default model is found in FORETOKEN_MODELS, and its ids are those of transformers (needs FORETOKEN_MODELS, FORETOKEN_FIXTURES)',
  async () => {
    const prompts = JSON.parse(await readFile(join(fixtures ?? '', 'smollm2-135m-instruct/prompts.json'), 'utf8'))
    const { text, ids } = prompts.prompts.english
    const { out } = await runCommand(['tokenize', '--json', '--', text], { environment: { FORETOKEN_MODELS: models } })
    expect(JSON.parse(out).ids).toEqual(ids)
  },
)
