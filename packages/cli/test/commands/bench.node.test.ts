import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../run-command.ts'
import { tinyCheckpoint } from '../tiny-checkpoint.ts'

test('--json has a row for each length of context', async () => {
  await using model = await tinyCheckpoint()
  const args = ['bench', '--model', model.path, '--cache', model.cache, '--context', '4', '20', '--steps', '3', '--json']
  const { status, out, err } = await runCommand(args)
  expect({ status, err }).toEqual({ status: 0, err: '' })
  const record = JSON.parse(out)
  expect(record.rows.map(({ context }: { context: number }) => context)).toEqual([4, 20])
  for (const { stepMs, fastestMs, slowestMs, prefillTokensPerSecond } of record.rows) {
    expect(fastestMs).toBeLessThanOrEqual(stepMs)
    expect(stepMs).toBeLessThanOrEqual(slowestMs)
    expect(prefillTokensPerSecond).toBeGreaterThan(0)
  }
  expect(record).toMatchObject({ model: model.path, plan: { provider: 'cpu' }, loadMs: expect.any(Number) })
})

test('without --context the lengths that the model has room for are measured', async () => {
  await using model = await tinyCheckpoint()
  const { out } = await runCommand(['bench', '--model', model.path, '--cache', model.cache, '--steps', '2'])
  // of 16, 512 and 2048 with 256 positions
  expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['context', '16', 'loaded', 'step', ''])
})

test.each([
  [['--context', '4', '250'], '--context: found 4 250'],
  [['--steps', '300'], '--steps: found 300'],
])('%j, which does not fit into the context, is refused instead of left out', async (args, reason) => {
  await using model = await tinyCheckpoint()
  const { status, out, err } = await runCommand(['bench', '--model', model.path, '--cache', model.cache, ...args])
  expect({ status, out }).toEqual({ status: 1, out: '' })
  expect(err).toContain(reason)
})

test('a context of 0 is a wrong command line', async () => {
  expect(await runCommand(['bench', '--context', '0'])).toMatchObject({ status: 2, out: '' })
})

test('the formats, threads and step times of the plan stand below the table', async () => {
  await using model = await tinyCheckpoint()
  const args = ['bench', '--model', model.path, '--cache', model.cache, '--steps', '2', '--format', 'f32', '--threads', '1']
  const { out } = await runCommand(args)
  expect(out).toMatch(/^loaded in [\d.]+ s; f32, 1 threads, exact rows$/m)
  expect(out).toMatch(/^step at 16 tokens {2}1 row: [\d.]+, 2: [\d.]+, 4: [\d.]+, 8: [\d.]+, 16: [\d.]+, 32: [\d.]+ ms$/m)
})

test('--quality compares each format with float32 on a text', async () => {
  await using model = await tinyCheckpoint()
  const text = join(model.path, 'tokenizer_config.json')
  const args = ['bench', '--model', model.path, '--cache', model.cache, '--quality', '--text', text, '--text-tokens', '60', '--json']
  const { status, out } = await runCommand(args)
  expect(status).toBe(0)
  const { tokens, rows } = JSON.parse(out)
  expect(tokens).toBe(60)
  expect(rows.map(({ format }: { format: string }) => format)).toEqual(expect.arrayContaining(['f32', 'int8', 'int4', 'auto']))
  const row = (wanted: string) => rows.find(({ format }: { format: string }) => format === wanted)
  expect(row('f32')).toMatchObject({ argmaxAgreement: 1, meanDivergence: 0 })
  // a byte of 256 at random weights
  expect(row('f32').perplexity).toBeGreaterThan(100)
  expect(row('int4').meanDivergence).toBeGreaterThan(row('int8').meanDivergence)
})

test('--quality in words has a line for the format that was asked for', async () => {
  await using model = await tinyCheckpoint()
  const text = join(model.path, 'tokenizer_config.json')
  const args = ['bench', '--model', model.path, '--cache', model.cache, '--quality', '--text', text, '--format', 'int8']
  const { out } = await runCommand(args)
  expect(out).toMatch(/^int8 +[\d.]+ +[\d.]+ % +0\.\d{5} +\d+ MB +\S/m)
  expect(out).toMatch(/^\d+ tokens of .*tokenizer_config\.json$/m)
})

test('--quality without a text is refused, and a text without --quality', async () => {
  await using model = await tinyCheckpoint()
  const args = ['bench', '--model', model.path, '--cache', model.cache]
  expect((await runCommand([...args, '--quality'])).err).toContain('--text: found no file')
  expect((await runCommand([...args, '--text', 'x'])).err).toContain('expected --quality')
})
