/** Workers that end by themselves, each in its own way. */
import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { platform } from 'node:os'
import { execPath, memoryUsage } from 'node:process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { loadInWorker, WorkerCrashedError, WorkerProtocolError } from '@foretoken/worker'
import { expect, test } from 'vitest'
import { hosted } from './both-sides.ts'
import { tinyModel } from './tiny-model.ts'

const entry = JSON.stringify(new URL('../src/entry.ts', import.meta.url).href)

/** The entry, beside code that runs when a score is asked for. */
function doomedWorker(doom: string, options: ConstructorParameters<typeof Worker>[1] = {}) {
  const code = `import(${entry}); require('node:worker_threads').parentPort.on('message', ({ call }) => { if (call?.name === 'score') { ${doom} } })`
  return () => new Worker(code, { eval: true, execArgv: ['--conditions=foretoken-source'], ...options })
}

test.each([
  ['an exit', doomedWorker('process.exit(3)'), /ended with code 3/],
  [
    'an error that nobody catches',
    doomedWorker("setTimeout(() => { throw new RangeError('too far') })"),
    /nobody caught in the worker \(too far\)/,
  ],
  ['a promise that nobody awaits', doomedWorker("Promise.reject(new RangeError('too far'))"), /too far/],
  [
    'no more memory',
    doomedWorker('const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length))', {
      resourceLimits: { maxOldGenerationSizeMb: 96 },
    }),
    /memory/,
  ],
])('%s is a WorkerCrashedError for everything that waits', async (_, worker, message) => {
  const model = await hosted(tinyModel(), { worker })
  const reading = model.generateText({ prompt: 'Once', stopTokens: [], maxNewTokens: 2000 })
  const outcomes = Promise.allSettled([reading, model.score({ prompt: 'x' })])
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'worker-crashed', message: expect.stringMatching(message) } })
  }
  expect(await model.ended).toBeInstanceOf(WorkerCrashedError)
  await model[Symbol.asyncDispose]()
})

test('a worker that cannot even start is a WorkerCrashedError', async () => {
  const missing = () => new Worker(new URL('./nowhere.ts', import.meta.url))
  await expect(loadInWorker(tinyModel(), { worker: missing })).rejects.toThrow(WorkerCrashedError)
})

test('a worker that speaks otherwise, or another version, is a WorkerProtocolError', async () => {
  const speaking = (answer: string) => () =>
    new Worker(`const { parentPort } = require('node:worker_threads'); parentPort.on('message', () => parentPort.postMessage(${answer}))`, {
      eval: true,
    })
  await expect(loadInWorker(tinyModel(), { worker: speaking("'hello'") })).rejects.toThrow(WorkerProtocolError)
  await expect(loadInWorker(tinyModel(), { worker: speaking("{ kind: 'hello', protocol: 99 }") })).rejects.toThrow(/version 99/)
})

test.skipIf(platform() !== 'linux')(
  'twenty models that come and go leave no thread and no memory behind',
  { timeout: 300_000 },
  async () => {
    const cycle = async () => {
      await using model = await hosted(tinyModel({ layers: 1 }), { selfTest: false })
      await model.generateText({ prompt: 'Once', maxNewTokens: 2 })
    }
    for (let i = 0; i < 3; i++) await cycle()
    const threads = (await readdir('/proc/self/task')).length
    const before = memoryUsage().rss
    for (let i = 0; i < 20; i++) await cycle()
    expect((await readdir('/proc/self/task')).length).toBeLessThanOrEqual(threads)
    // one worker that stays takes more than this
    expect(memoryUsage().rss - before).toBeLessThan(20 * 2 ** 20)
  },
)

test('a model that nobody waits for does not keep a process alive', () => {
  const program = fileURLToPath(new URL('./forgetful-program.ts', import.meta.url))
  const { stdout, status } = spawnSync(execPath, ['--conditions=foretoken-source', program], { encoding: 'utf8', timeout: 30_000 })
  expect({ stdout, status }).toEqual({ stdout: '2 tokens\n', status: 0 })
})
