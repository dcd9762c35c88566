/** The program itself, in a process of its own: exit statuses, pipes, signals. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { withoutProgress } from './run-command.ts'
import { tinyCheckpoint } from './tiny-checkpoint.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function start(args: readonly string[]) {
  const child = spawn(execPath, ['--conditions=foretoken-source', MAIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const written = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.err += text
  })
  const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, out: written.out, err: withoutProgress(written.err) }))
  return { child, written, ended }
}

test('the version goes to stdout, with 0', async () => {
  expect(await start(['--version']).ended).toEqual({ status: 0, signal: null, out: '0.0.0\n', err: '' })
})

test('an unknown option is refused with 2, on stderr', async () => {
  const { status, out, err } = await start(['score', '--bogus']).ended
  expect({ status, out }).toEqual({ status: 2, out: '' })
  expect(err).toContain("unknown option '--bogus'")
})

test('a model that is not there is refused with 1, without a stack', async () => {
  const { status, out, err } = await start(['score', '--model', '/nowhere/model', '--tokens', '1']).ended
  expect({ status, out }).toEqual({ status: 1, out: '' })
  expect(err).toMatch(/^error: The model \/nowhere\/model was not found/)
  expect(err).not.toContain('    at ')
})

test('ids in, one line of JSON out, and nothing else', async () => {
  await using model = await tinyCheckpoint()
  const { status, out, err } = await start(['score', '--model', model.path, '--cache', model.cache, '--tokens', '1 2 3', '--json']).ended
  expect({ status, err }).toEqual({ status: 0, err: '' })
  expect(out.endsWith('}\n')).toBe(true)
  expect(JSON.parse(out).positions).toHaveLength(3)
})

test('a reader that leaves ends the program quietly', async () => {
  await using model = await tinyCheckpoint({ positions: 1_000_000 })
  const args = ['generate', '--model', model.path, '--cache', model.cache, '--tokens', '65', '-n', '900000']
  const { child, ended } = start(args)
  child.stdout.destroy()
  const { status, err } = await ended
  expect(status).toBe(0)
  expect(err).not.toMatch(/EPIPE|error/)
})

test('SIGINT in the middle of an output keeps what was written, and ends with 130', async () => {
  // longer than the test would wait
  await using model = await tinyCheckpoint({ positions: 1_000_000 })
  const args = ['generate', '--model', model.path, '--cache', model.cache, '--tokens', '65', '-n', '900000']
  const { child, written, ended } = start(args)
  await expect.poll(() => written.out.length, { timeout: 20_000 }).toBeGreaterThan(0)
  child.kill('SIGINT')
  const { status, signal, out, err } = await ended
  expect({ status, signal }).toEqual({ status: 130, signal: null })
  expect(out.endsWith('\n')).toBe(true)
  expect(err).toMatch(/\(stopped after \d+ tokens\)\n$/)
})

test('an error ends the program although its input goes on', async () => {
  await using model = await tinyCheckpoint()
  const { child, ended } = start(['chat', '--model', model.path, '--cache', model.cache])
  child.stdin.on('error', () => undefined).write(`${'x'.repeat(300)}\n${'a\n'.repeat(2000)}`)
  const { status, err } = await ended
  expect(status).toBe(1)
  expect(err).toMatch(/error: prompt: found \d+ tokens, expected at most 256, the context\n$/)
})

test('SIGTERM ends with 143', async () => {
  await using model = await tinyCheckpoint()
  const { child, written, ended } = start(['chat', '--model', model.path, '--cache', model.cache])
  await expect.poll(() => written.err, { timeout: 20_000 }).toContain('loaded in')
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ status: 143, signal: null })
})
