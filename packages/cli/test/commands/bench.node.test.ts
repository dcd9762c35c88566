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
  expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['context', '16', 'loaded', ''])
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
