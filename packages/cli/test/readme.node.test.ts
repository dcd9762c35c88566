import { afterAll, expect, test, vi } from 'vitest'
import { tinyCheckpoint } from './tiny-checkpoint.ts'

const model = await tinyCheckpoint()
const folder = model.path
vi.stubEnv('XDG_CACHE_HOME', model.cache)
afterAll(() => model[Symbol.asyncDispose]())

// readme:start
import process from 'node:process'
import { processTerminal, runCommandLine } from '@foretoken/cli'

// The process's own terminal, with the results taken over.
let results = ''
const out = { write: (text: string) => (results += text) }
const status = await runCommandLine(['score', '--model', folder, '--tokens', '1 2 3', '--json'], { ...processTerminal(process), out })
const { tokens, logProbabilities } = JSON.parse(results)
// readme:end

test('the snippet of the README scores three tokens', () => {
  expect(status).toBe(0)
  expect(tokens).toEqual([1, 2, 3])
  expect(logProbabilities).toHaveLength(2)
})
