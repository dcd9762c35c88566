import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { listStoredModels, loadCausalLM, removeStoredModel, trimStoredModels, type WeightFormat } from '../src/index.ts'
import { leastRecentlyUsed } from '../src/stored-entry.ts'
import { checkpointFixture } from './checkpoint-fixture.ts'

const root = await mkdtemp(join(tmpdir(), 'stored-'))
afterAll(() => rm(root, { recursive: true, force: true }))
const { folder } = await checkpointFixture('llama')
let folders = 0
const newFolder = () => join(root, `${folders++}`)

async function open(convertedFolder: string, format: WeightFormat, convertedLimitBytes?: number): Promise<readonly string[]> {
  const limit = convertedLimitBytes === undefined ? {} : { convertedLimitBytes }
  await using lm = await loadCausalLM(folder, { format, convertedFolder, threads: 1, selfTest: false, ...limit })
  return lm.plan.notes
}

test('what is kept is listed with its source, its bytes, and the last use first', async () => {
  const kept = newFolder()
  expect(await listStoredModels(kept)).toEqual([])
  await open(kept, 'f32')
  await open(kept, 'int8')
  await open(kept, 'f32')
  const entries = await listStoredModels(kept)
  expect(entries.map(({ name }) => name)).toEqual([folder, folder])
  const [f32, int8] = entries
  expect(f32?.byteLength).toBeGreaterThan(int8?.byteLength ?? Number.POSITIVE_INFINITY)
  expect(f32?.usedMs).toBeGreaterThan(int8?.usedMs ?? Number.POSITIVE_INFINITY)
})

test('an entry that was removed is converted again, the others are not', async () => {
  const kept = newFolder()
  await open(kept, 'f32')
  await open(kept, 'int8')
  const [int8] = await listStoredModels(kept)
  await removeStoredModel(kept, int8?.key ?? '')
  expect(await listStoredModels(kept)).toHaveLength(1)
  expect(await open(kept, 'f32')).toContainEqual(expect.stringMatching(/earlier start/))
  expect(await open(kept, 'int8')).toContainEqual(expect.stringMatching(/kept for later starts/))
})

test.each(['', '..', '../elsewhere', 'a'.repeat(31)])('%j is no key, and nothing is removed', async (key) => {
  const kept = newFolder()
  await open(kept, 'f32')
  await expect(removeStoredModel(kept, key)).rejects.toMatchObject({ code: 'argument' })
  expect(await listStoredModels(kept)).toHaveLength(1)
})

test('with a limit the entry that was not used for longest makes room, and the one in use stays', async () => {
  const kept = newFolder()
  await open(kept, 'int8')
  await open(kept, 'int4')
  await open(kept, 'int8')
  const [int8, int4] = await listStoredModels(kept)
  const elsewhere = newFolder()
  await open(elsewhere, 'f32')
  const [f32] = await listStoredModels(elsewhere)
  await open(kept, 'f32', (int8?.byteLength ?? 0) + (f32?.byteLength ?? 0) + 1000)
  const keys = (await listStoredModels(kept)).map(({ key }) => key)
  expect(keys).toHaveLength(2)
  expect(keys).toContain(int8?.key)
  expect(keys).not.toContain(int4?.key)
  await open(kept, 'f32', 0)
  expect(await listStoredModels(kept)).toHaveLength(1)
})

test('entries of an earlier version, without a note of their use, count by the time of their files', async () => {
  const kept = newFolder()
  await open(kept, 'f32')
  const [entry] = await listStoredModels(kept)
  const path = join(kept, entry?.key ?? '')
  await rm(join(path, 'entry'))
  for (const name of await readdir(path)) await utimes(join(path, name), 1000, 1000)
  expect(await listStoredModels(kept)).toMatchObject([{ key: entry?.key, name: '', usedMs: 1_000_000 }])
  await writeFile(join(path, 'entry'), '{"name":')
  expect(await listStoredModels(kept)).toMatchObject([{ name: '' }])
})

test('trimming removes from the oldest entry on, until the rest fits', async () => {
  const kept = newFolder()
  await open(kept, 'f32')
  await open(kept, 'int8')
  const [int8, f32] = await listStoredModels(kept)
  expect(await trimStoredModels(kept, int8?.byteLength ?? 0)).toEqual([f32])
  expect(await trimStoredModels(kept, int8?.byteLength ?? 0)).toEqual([])
  expect(await listStoredModels(kept)).toEqual([int8])
})

test('an old entry that would fit goes when a younger one did not', () => {
  const entry = (key: string, byteLength: number, usedMs: number) => ({ key, name: '', byteLength, usedMs })
  const entries = [entry('old', 1, 1), entry('middle', 50, 2), entry('young', 60, 3)]
  expect(leastRecentlyUsed(entries, 100).map(({ key }) => key)).toEqual(['middle', 'old'])
  expect(leastRecentlyUsed(entries, 0, 'old').map(({ key }) => key)).toEqual(['young', 'middle'])
  expect(leastRecentlyUsed(entries, 111)).toEqual([])
})
