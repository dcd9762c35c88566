import { expect, test } from 'vitest'
import { runCommandLine } from '../../src/command-line.ts'
import { fakeTerminal } from '../fake-terminal.ts'
import { runCommand } from '../run-command.ts'
import { tinyCheckpoint } from '../tiny-checkpoint.ts'

test('one question is answered on stdout; model, question and statistics are on stderr', async () => {
  await using model = await tinyCheckpoint()
  const { status, out, err } = await runCommand(['start', '--model', model.path, '--cache', model.cache, '--stop', 'x', 'Is', 'it?'])
  expect(status).toBe(0)
  expect(out.length).toBeGreaterThan(1)
  const [loaded, question, facts] = err.split('\n')
  expect(loaded).toMatch(/model, .*, \d+ threads, exact rows, loaded in \d+\.\d s$/)
  expect(question).toBe('> Is it?')
  expect(facts).toMatch(/^\(\d+ tokens at/)
})

test('without a question there is a default one', async () => {
  await using model = await tinyCheckpoint()
  const { err } = await runCommand(['start', '--model', model.path, '--cache', model.cache])
  expect(err).toContain('> Why is the sky blue?\n')
})

test('in a terminal it goes on as a chat', async () => {
  await using model = await tinyCheckpoint()
  const terminal = fakeTerminal({ isTTY: true, environment: { NO_COLOR: '1' } })
  const running = runCommandLine(['start', '--model', model.path, '--cache', model.cache, 'one'], terminal)
  await expect.poll(() => terminal.screenText(), { timeout: 10_000 }).toContain('> ')
  terminal.input.write('\u0004')
  expect(await running).toBe(0)
  expect(terminal.errText()).toContain('/clear forgets the conversation')
})
