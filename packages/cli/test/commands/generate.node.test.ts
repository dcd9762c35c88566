import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommandLine } from '../../src/command-line.ts'
import { fakeTerminal } from '../fake-terminal.ts'
import { temporaryFolder } from '../model-search/temporary-folder.ts'
import { runCommand, withoutProgress } from '../run-command.ts'
import { LLAMA, tinyCheckpoint } from '../tiny-checkpoint.ts'

/** What transformers generated, past an end-of-text token. */
async function greedy(): Promise<{ prompt: number[]; ids: number[] }> {
  return JSON.parse(await readFile(join(LLAMA, 'expected.json'), 'utf8')).greedy
}

test('token ids are continued greedily, past end-of-text tokens, as transformers does', async () => {
  await using model = await tinyCheckpoint()
  const { prompt, ids } = await greedy()
  expect(ids).toContain(2) // the end-of-text token of the checkpoint
  const args = ['--model', model.path, '--cache', model.cache, '--tokens', prompt.join(' '), '--max-new-tokens', '64', '--format', 'f32']
  const { status, out, err } = await runCommand(['generate', ...args, '--json'])
  expect({ status, err }).toEqual({ status: 0, err: '' })
  const record = JSON.parse(out)
  expect(record.ids).toEqual(ids)
  expect(record.logProbabilities).toHaveLength(64)
  expect(typeof record.text).toBe('string')
  expect(record).toMatchObject({ finishReason: 'length', statistics: { promptTokens: 8, newTokens: 64 } })
})

test('a folder without a tokenizer is fine when ids are given: the JSON has no text, and the text is the ids', async () => {
  await using caches = await tinyCheckpoint()
  const { prompt, ids } = await greedy()
  const args = ['generate', '--model', LLAMA, '--cache', caches.cache, '--tokens', `[${prompt.join(', ')}]`, '-n', '5', '--format', 'f32']
  const { out } = await runCommand([...args, '--json'])
  expect(JSON.parse(out)).toMatchObject({ ids: ids.slice(0, 5) })
  expect(JSON.parse(out)).not.toHaveProperty('text')
  expect((await runCommand(args)).out).toBe(`${ids.slice(0, 5).join(' ')}\n`)
})

test('a stop token that is named ends the output', async () => {
  await using model = await tinyCheckpoint()
  const { prompt, ids } = await greedy()
  const args = ['--model', model.path, '--cache', model.cache, '--tokens', prompt.join(','), '--format', 'f32', '--json']
  const { out } = await runCommand(['generate', ...args, '--stop-token', `${ids[2]}`, '--stop-token', `${ids[9]}`])
  // the first id is the third one, too
  expect(ids[0]).toBe(ids[2])
  expect(JSON.parse(out)).toMatchObject({ ids: [ids[0]], finishReason: 'stop-token' })
})

test('text goes to stdout, statistics go to stderr', async () => {
  await using model = await tinyCheckpoint()
  const args = ['--model', model.path, '--cache', model.cache, '-n', '4']
  const asText = await runCommand(['generate', ...args, 'abc'])
  const asJson = await runCommand(['generate', ...args, '--prompt', 'abc', '--json'])
  expect(asText.out).toBe(`${JSON.parse(asJson.out).text}\n`)
  expect(asText.err).toMatch(/^\(4 tokens at [\d.]+ tokens\/s, prompt of 3 tokens in \d+ ms, ended by the limit of tokens\)\n$/)
})

test('a message goes through the chat template', async () => {
  await using model = await tinyCheckpoint()
  const args = ['--model', model.path, '--cache', model.cache, '-n', '1', '--json', '--message', 'hi']
  // <s>user:hi</s><s>assistant:
  expect(JSON.parse((await runCommand(['generate', ...args])).out).statistics.promptTokens).toBe(1 + 7 + 1 + 1 + 10)
})

test('the same seed gives the same tokens, another seed others', async () => {
  await using model = await tinyCheckpoint()
  const args = ['generate', '--model', model.path, '--cache', model.cache, '--tokens', '7 8', '-n', '16', '--json', '--temperature', '2']
  const idsOf = async (...more: string[]) => JSON.parse((await runCommand([...args, ...more])).out).ids
  const first = await idsOf('--seed', '1', '--top-k', '0')
  expect(await idsOf('--seed', '1')).toEqual(first)
  expect(await idsOf('--seed', '2')).not.toEqual(first)
})

test.each([
  [[], 'found none'],
  [['a', '--tokens', '1'], 'found [prompt] and --tokens'],
  [['a', 'b'], 'too many arguments'],
  [['a', '--greedy', '--temperature', '1'], "'--greedy' cannot be used with option '--temperature"],
  [['a', '--temperature', '-1'], 'a number from 0'],
  [['a', '--top-p', '0'], 'above 0'],
  [['a', '--min-p', '1.5'], 'from 0 to 1'],
  [['a', '--repetition-penalty', '0'], 'above 0'],
  [['a', '--max-new-tokens', 'many'], 'whole number from 0'],
  [['a', '--stop', ''], 'a text'],
])('%j is refused as a wrong command line before a model is opened', async (args, reason) => {
  const { status, out, err } = await runCommand(['generate', '--model', '/nowhere', ...args])
  expect({ status, out }).toEqual({ status: 2, out: '' })
  expect(err).toContain(reason)
})

test('Ctrl-C in the middle of an output keeps what was written and ends with 130', async () => {
  await using model = await tinyCheckpoint()
  let pieces = 0
  const terminal = fakeTerminal({
    onOut: () => {
      pieces += 1
      if (pieces === 3) terminal.interrupt()
    },
  })
  const args = ['generate', '--model', model.path, '--cache', model.cache, '--tokens', '65', '-n', '200']
  expect(await runCommandLine(args, terminal)).toBe(130)
  expect(pieces).toBe(4) // three pieces, and the end of the line
  expect(terminal.outText().endsWith('\n')).toBe(true)
  expect(withoutProgress(terminal.errText())).toMatch(/^\(stopped after \d+ tokens\)\n$/)
  expect(terminal.listeners).toBe(0)
})

test('an output that nobody reads any more ends the command without a word', async () => {
  await using model = await tinyCheckpoint()
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  const terminal = fakeTerminal({ onOut: () => terminal.failOutput(broken) })
  expect(await runCommandLine(['generate', '--model', model.path, '--cache', model.cache, '--tokens', '65', '-n', '200'], terminal)).toBe(0)
  expect(withoutProgress(terminal.errText())).not.toContain('EPIPE')
})

test('an output that cannot be written is an error', async () => {
  await using model = await tinyCheckpoint()
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  const terminal = fakeTerminal({ onOut: () => terminal.failOutput(full) })
  const args = ['generate', '--model', model.path, '--cache', model.cache, '--tokens', '65', '-n', '3', '--json']
  expect(await runCommandLine(args, terminal)).toBe(1)
  expect(withoutProgress(terminal.errText())).toBe('error: ENOSPC: no space left on device, write\n')
})

test('a request to end gives 143', async () => {
  await using model = await tinyCheckpoint()
  const terminal = fakeTerminal({ onOut: () => terminal.terminate() })
  expect(await runCommandLine(['generate', '--model', model.path, '--cache', model.cache, '--tokens', '65', '-n', '200'], terminal)).toBe(
    143,
  )
})

test('an output keeps to a choice, a pattern and a schema', async () => {
  await using model = await tinyCheckpoint()
  await using folder = await temporaryFolder({
    'schema.json': JSON.stringify({ type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }),
  })
  const args = ['generate', '--model', model.path, '--cache', model.cache, '-n', '60', 'abc']
  expect((await runCommand([...args, '--choice', 'left', '--choice', 'right'])).out).toMatch(/^(left|right)\n$/)
  expect((await runCommand([...args, '--pattern', '[xy]{4}'])).out).toMatch(/^[xy]{4}\n$/)
  const { out } = await runCommand([...args, '--json-schema', join(folder.path, 'schema.json')])
  expect(typeof JSON.parse(out).ok).toBe('boolean')
  const ids = ['generate', '--model', model.path, '--cache', model.cache, '--tokens', '65 66', '--choice', 'a', '--json']
  expect(JSON.parse((await runCommand(ids)).out)).toMatchObject({ text: 'a', finishReason: 'stop-token' })
})

test('drafts change nothing but the statistics, which --stats shows', async () => {
  await using model = await tinyCheckpoint()
  const args = ['generate', '--model', model.path, '--cache', model.cache, '--tokens', '65 66', '-n', '40']
  const plain = await runCommand([...args, '--no-speculate', '--stats'])
  const drafted = await runCommand([...args, '--stats'])
  const byName = await runCommand([...args, '--speculate', 'recycling', '--stats'])
  expect(drafted.out).toBe(plain.out)
  expect(byName.out).toBe(plain.out)
  const held = ['generate', '--model', model.path, '--cache', model.cache, 'abc', '--pattern', '([ab]{2} (one|two|three) ?){4}', '-n', '60']
  const heldPlain = await runCommand([...held, '--no-speculate'])
  for (const name of ['auto', 'suffix', 'recycling']) expect((await runCommand([...held, '--speculate', name])).out).toBe(heldPlain.out)
  expect(plain.err).not.toMatch(/draft/)
  for (const { err } of [drafted, byName]) expect(err).toMatch(/^\((no drafts|drafts of) /m)
})
