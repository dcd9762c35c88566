/** Models from paths and addresses, against what the reference implementation said of them. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { generate, PrefixCache } from '@foretoken/generation'
import { CheckpointError, loadCausalLM } from '@foretoken/models'
import { expect, test } from 'vitest'
import { hosted } from './both-sides.ts'

const fixtures = new URL('../../models/test/fixtures/', import.meta.url)
const folderUrl = (name: string) => new URL(`checkpoints/${name}`, fixtures)
const folder = (name: string) => fileURLToPath(folderUrl(name))
const gguf = fileURLToPath(new URL('gguf/tiny-llama-q4_k.gguf', fixtures))

test.each(['llama', 'qwen3', 'gemma3_text', 'mamba'])('a folder with a %s gives the greedy ids of the reference', async (name) => {
  const { greedy } = JSON.parse(await readFile(`${folder(name)}/expected.json`, 'utf8'))
  await using model = await hosted(folder(name))
  const options = { tokens: greedy.prompt, maxNewTokens: 16, stopTokens: [], beyondContext: true }
  expect((await model.generateText(options)).ids).toEqual(greedy.ids.slice(0, 16))
})

test('recurrent layers: conversations are left, saved and restored and go on as new ones do', async () => {
  await using lm = await loadCausalLM(folder('mamba'), { format: 'f32', threads: 1 })
  await using model = await hosted(folderUrl('mamba'))
  await using cache = new PrefixCache(lm)
  await using conversation = await model.openConversation()
  const options = { tokens: [5, 6, 7, 8], maxNewTokens: 30, stopTokens: [] }
  for (const pieces of [model.generate({ ...options, conversation }), generate(lm, { ...options, cache })]) {
    let read = 0
    for await (const _ of pieces) if (++read === 4) break
  }
  expect(await conversation.tokens()).toEqual(cache.tokens)
  const saved = await conversation.snapshot()
  await using restored = await model.restore(saved)
  expect(await restored.snapshot()).toEqual(saved)
  const next = { tokens: [...(await conversation.tokens()), 9, 10], maxNewTokens: 8, stopTokens: [] }
  const fresh = await model.generateText(next)
  expect((await model.generateText({ ...next, conversation: restored })).ids).toEqual(fresh.ids)
})

test('a GGUF file on a server is read in ranges, and gives what the file gives', async () => {
  const bytes = await readFile(gguf)
  const ranges: string[] = []
  const server = createServer((request, response) => {
    const [, from = '0', to = '0'] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    ranges.push(`${from}-${to}`)
    const end = Math.min(Number(to) + 1, bytes.length)
    response.writeHead(206, { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}`, etag: '"1"' })
    response.end(bytes.subarray(Number(from), end))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new TypeError('no port')
    const url = `http://127.0.0.1:${address.port}/tiny.gguf`
    await using remote = await hosted(url)
    await using local = await hosted(gguf)
    const options = { tokens: [1, 2, 3], maxNewTokens: 8, stopTokens: [] }
    expect((await remote.generateText(options)).ids).toEqual((await local.generateText(options)).ids)
    expect(ranges.length).toBeGreaterThan(1)
    await expect(hosted(new URL('missing/../tiny.gguf', url.replace('http:', 'ftp:')))).rejects.toMatchObject({ code: 'unsendable' })
  } finally {
    server.close()
  }
})

test('a path with nothing at it is the error of one thread', async () => {
  await expect(hosted('./no/such/model.gguf')).rejects.toThrow(CheckpointError)
  await expect(hosted('./no/such/model.gguf')).rejects.toMatchObject({ where: { file: './no/such/model.gguf' } })
})

test('the worker opens the runtime that is asked for', async () => {
  await using model = await hosted(folder('llama'), { runtime: { provider: 'wasm' } })
  expect(model.plan).toMatchObject({ provider: 'wasm', threads: 1 })
  const { greedy } = JSON.parse(await readFile(`${folder('llama')}/expected.json`, 'utf8'))
  const { ids } = await model.generateText({ tokens: greedy.prompt, maxNewTokens: 8, stopTokens: [] })
  expect(ids).toEqual(greedy.ids.slice(0, 8))
})
