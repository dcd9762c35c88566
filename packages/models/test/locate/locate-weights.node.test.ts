/** Where a source leads: a path, a repository in the hub's cache, or an error that says what was expected. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'

const COMMIT = '0123456789abcdef0123456789abcdef01234567'
let cacheFolder: string
beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'hub-'))
  const repository = join(cacheFolder, 'models--acme--tiny')
  await mkdir(join(repository, 'refs'), { recursive: true })
  await writeFile(join(repository, 'refs', 'main'), COMMIT)
  const { folder } = await checkpointFixture('llama')
  await cp(folder, join(repository, 'snapshots', COMMIT), { recursive: true })
})
afterAll(() => rm(cacheFolder, { recursive: true }))

test("a repository in the hub's cache is opened without the network", async () => {
  await using lm = await loadCausalLM('acme/tiny', { format: 'f32', selfTest: false, hub: { cacheFolder, offline: true } })
  expect(lm.config).toMatchObject({ modelType: 'llama', layers: 2 })
})

test('a repository that is not in the cache is refused when nothing may be downloaded', async () => {
  await expect(loadCausalLM('acme/other', { hub: { cacheFolder, offline: true } })).rejects.toMatchObject({ code: 'offline' })
})

test('a path where nothing is says what a source may be', async () => {
  const error = await loadCausalLM('./nowhere/model.gguf').catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'checkpoint', message: expect.stringMatching(/nothing is there.*organisation\/name/) })
})

test('pickled weights are refused with a sentence that names safetensors', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pickle-'))
  await writeFile(join(folder, 'pytorch_model.bin'), 'PK')
  try {
    await expect(loadCausalLM(join(folder, 'pytorch_model.bin'))).rejects.toThrow(/safetensors/)
    await expect(loadCausalLM(folder)).rejects.toThrow(/safetensors/)
  } finally {
    await rm(folder, { recursive: true })
  }
})
