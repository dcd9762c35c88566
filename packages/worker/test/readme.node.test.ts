import { expect, test } from 'vitest'
import { nodeWorker } from './node-worker.ts'
import { tinyModel } from './tiny-model.ts'

const source = tinyModel()
const options = { format: 'f32', threads: 1, worker: nodeWorker } as const

// readme:start
import { loadInWorker } from '@foretoken/worker'

// `source` and `options` are those of `loadCausalLM`; a File that was dropped, bytes, or several files by name will do as well
await using lm = await loadInWorker(source, options)
await using chat = await lm.openConversation() // rows that outlive a generation

const messages = [{ role: 'user', content: 'Why is the sky blue?' }]
let answer = ''
for await (const piece of lm.generate({ messages, conversation: chat, maxNewTokens: 16 })) answer += piece.text

// The same turn once more, another way: a branch shares the rows that are there already.
await using branch = await chat.fork()
const sampling = { kind: 'sample', temperature: 0.8, seed: 1 } as const
const other = await lm.generateText({ messages, conversation: branch, sampling, maxNewTokens: 16 })

const saved = await chat.snapshot() // bytes to keep; `lm.restore(saved)` goes on from them, in this worker or a later one
// readme:end

const held = await chat.tokens()
const reused = other.statistics.reusedTokens
const restored = await (await lm.restore(saved)).tokens()

test('the snippet of the README answers, branches from the rows of its prompt, and saves them', () => {
  expect(answer).not.toBe('')
  // the prompt's last row is computed again: it gives the first token's logits
  expect(reused).toBe(other.statistics.promptTokens - 1)
  expect(restored).toEqual(held)
})
