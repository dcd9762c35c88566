import { expect, test } from 'vitest'
import { runCommandLine } from '../../src/command-line.ts'
import { type FakeTerminal, fakeTerminal } from '../fake-terminal.ts'
import { withoutProgress } from '../run-command.ts'
import { LLAMA, tinyCheckpoint } from '../tiny-checkpoint.ts'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const UP = '\u001b[A'

/** How often an empty line was offered: readline clears what is below, writes the prompt, and places the cursor behind it. */
function offers({ screenText }: FakeTerminal): number {
  return screenText().split('\u001b[0J> \u001b[3G').length - 1
}

/** A chat by hand: waits for an empty line, types the next keys, and so on. */
async function typed(model: { path: string; cache: string }, keys: readonly string[], more: readonly string[] = []) {
  const terminal = fakeTerminal({ isTTY: true, environment: { NO_COLOR: '1' } })
  const running = runCommandLine(['chat', '--model', model.path, '--cache', model.cache, '-n', '4', ...more], terminal)
  for (const [turn, key] of keys.entries()) {
    await expect.poll(() => offers(terminal), { timeout: 10_000 }).toBe(turn + 1)
    terminal.input.write(key)
  }
  return { status: await running, terminal }
}

test('piped lines are questions, and their answers go to stdout', async () => {
  await using model = await tinyCheckpoint()
  const terminal = fakeTerminal()
  terminal.input.end('one\n\ntwo\n')
  expect(await runCommandLine(['chat', '--model', model.path, '--cache', model.cache, '-n', '4', '--greedy'], terminal)).toBe(0)
  const facts = terminal
    .errText()
    .split('\n')
    .filter((line) => line.startsWith('('))
  expect(facts).toHaveLength(2)
  // <s>user:one</s><s>assistant: and what the first turn left
  expect(facts[0]).toMatch(/prompt of 21 tokens in/)
  expect(facts[1]).toMatch(/, \d+ of them reused in/)
})

test('Ctrl-D ends the chat with 0', async () => {
  await using model = await tinyCheckpoint()
  const { status, terminal } = await typed(model, ['hello\r', CTRL_D])
  expect(status).toBe(0)
  expect(terminal.errText()).toMatch(/4 tokens at/)
  expect(terminal.listeners).toBe(0)
})

test('/exit ends the chat, /clear forgets, and other commands are explained', async () => {
  await using model = await tinyCheckpoint()
  const { status, terminal } = await typed(model, ['one\r', '/clear\r', 'one\r', '/what\r', '/exit\r'])
  expect(status).toBe(0)
  const facts = terminal
    .errText()
    .split('\n')
    .filter((line) => line.startsWith('('))
  expect(facts).toHaveLength(2)
  for (const fact of facts) expect(fact).not.toContain('reused')
  expect(terminal.errText()).toContain('The conversation is forgotten.')
  expect(terminal.errText().match(/\/clear forgets/g)).toHaveLength(2)
})

test('Ctrl-C throws a line away that was begun, and ends the chat in an empty one', async () => {
  await using model = await tinyCheckpoint()
  const { status, terminal } = await typed(model, [`not this${CTRL_C}`, CTRL_C])
  expect(status).toBe(0)
  expect(terminal.outText()).toBe('')
})

test('the arrow up brings an earlier question back', async () => {
  await using model = await tinyCheckpoint()
  const { terminal } = await typed(model, ['first\r', 'second\r', `${UP}${UP}\r`, CTRL_D], ['--greedy'])
  expect(terminal.screenText().match(/> (?:second|first)/g)).toEqual(['> second', '> first'])
  expect(terminal.errText().match(/4 tokens at/g)).toHaveLength(3)
})

test('Ctrl-C in an answer ends that answer alone', async () => {
  await using model = await tinyCheckpoint()
  let pieces = 0
  const terminal = fakeTerminal({
    isTTY: true,
    environment: { NO_COLOR: '1' },
    onOut: () => {
      pieces += 1
      if (pieces === 2) terminal.interrupt()
    },
  })
  const running = runCommandLine(['chat', '--model', model.path, '--cache', model.cache, '-n', '100'], terminal)
  await expect.poll(() => offers(terminal), { timeout: 10_000 }).toBe(1)
  terminal.input.write('one\r')
  await expect.poll(() => offers(terminal), { timeout: 10_000 }).toBe(2)
  expect(terminal.errText()).toMatch(/\(stopped after \d+ tokens\)/)
  terminal.input.write('two\r')
  await expect.poll(() => offers(terminal), { timeout: 10_000 }).toBe(3)
  terminal.input.write(CTRL_D)
  expect(await running).toBe(0)
  expect(terminal.errText()).toMatch(/\(100 tokens at .* of them reused/)
})

test('a conversation that outgrows the context is told so, and can be cleared', async () => {
  await using model = await tinyCheckpoint()
  const { status, terminal } = await typed(model, [`${'x'.repeat(300)}\r`, 'short\r', CTRL_D])
  expect(status).toBe(0)
  expect(terminal.errText()).toMatch(/^error: prompt: found \d+ tokens, expected at most 256, the context$/m)
  expect(terminal.errText()).toMatch(/4 tokens at/)
})

test('Ctrl-C while piped questions are awaited ends the command with 130', async () => {
  await using model = await tinyCheckpoint()
  const terminal = fakeTerminal()
  const running = runCommandLine(['chat', '--model', model.path, '--cache', model.cache], terminal)
  await expect.poll(() => terminal.errText(), { timeout: 10_000 }).toContain('loaded in')
  terminal.interrupt()
  expect(await running).toBe(130)
})

test('a model without a tokenizer is refused before the first question', async () => {
  const terminal = fakeTerminal()
  expect(await runCommandLine(['chat', '--model', LLAMA, '--no-keep'], terminal)).toBe(1)
  expect(withoutProgress(terminal.errText())).toMatch(/^error: chat: found a model without tokenizer files/)
})

test('--stats says before the first question what runs where and how long steps take', async () => {
  await using model = await tinyCheckpoint()
  const terminal = fakeTerminal()
  terminal.input.end('one\n')
  const args = ['chat', '--model', model.path, '--cache', model.cache, '-n', '2', '--greedy', '--format', 'f32', '--stats']
  expect(await runCommandLine(args, terminal)).toBe(0)
  expect(terminal.errText()).toMatch(/^format of linear +f32$/m)
  expect(terminal.errText()).toMatch(/^step at 16 tokens +1 row: [\d.]+, 2: .* ms$/m)
})
