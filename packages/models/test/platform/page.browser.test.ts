/** Models in a page: from chosen files and from the hub, with converted weights in real files of the origin. Workers stand for tabs. */
import { afterAll, expect, test } from 'vitest'
import { cdp } from 'vitest/browser'
import { listStoredModels, loadCausalLM, removeStoredModel } from '../../src/index.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { fixtureBytes } from '../fixture-bytes.ts'
import type { PageJob, PageOutcome } from './page-worker.ts'

const { inputIds, expected } = await checkpointFixture('llama')
const tokens = inputIds[0] ?? []
const files = new Map<string, Blob>()
for (const name of ['config.json', 'model.safetensors']) files.set(name, new Blob([await fixtureBytes(`checkpoints/llama/${name}`)]))

const root = await navigator.storage.getDirectory()
const made: string[] = []
afterAll(async () => {
  for (const name of made) await root.removeEntry(name, { recursive: true }).catch(() => undefined)
})

function newFolder(): string {
  const name = `models-test-${crypto.randomUUID()}`
  made.push(name)
  return name
}

function runTab(job: Omit<PageJob, 'tokens'>): Promise<PageOutcome> {
  const worker = new Worker(new URL('./page-worker.ts', import.meta.url), { type: 'module' })
  return new Promise<PageOutcome>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message))
    worker.onmessage = ({ data }: MessageEvent<PageOutcome>) => resolve(data)
    worker.postMessage({ ...job, tokens })
  }).finally(() => worker.terminate())
}

interface DevTools {
  send(method: 'Storage.overrideQuotaForOrigin', parameters: { readonly origin: string; readonly quotaSize?: number }): Promise<unknown>
}

/** Vitest leaves the type of the session to the provider, whose types need Node's. */
function devtools(): DevTools {
  return cdp() as unknown as DevTools
}

/** What the reference computed for the first sequence. */
const reference = await expected('logits')

test('chosen files are converted once: the next tab reads the weights and the findings of the first', async () => {
  const convertedFolder = newFolder()
  const options = { format: 'f32', convertedFolder } as const
  const first = await runTab({ source: files, options })
  expect(first.error).toBeUndefined()
  expect(first.convertedBytes).toBeGreaterThan(0)
  expect(first.notes).toContainEqual(expect.stringMatching(/kept for later starts/))
  const second = await runTab({ source: files, options })
  expect(second.error).toBeUndefined()
  expect(second.convertedBytes).toBe(0)
  expect(second.notes).toContainEqual(expect.stringMatching(/earlier start are read/))
  expect(second.logits).toEqual(first.logits)
  expect(second.exact).toBe(first.exact)
  expect(second.stepTimes).toBeGreaterThan(0)
  const found = first.logits ?? new Float32Array(0)
  expect(found.length).toBeGreaterThan(0)
  expect(largestDifference(found, reference.subarray(0, found.length))).toBeLessThan(1e-3)
})

test.each(['int8-rows', 'stored'] as const)('%s in memory and from files are the same bits', async (format) => {
  const convertedFolder = newFolder()
  const inMemory = await runTab({ source: files, options: { format, selfTest: false } })
  expect(inMemory.notes).toContainEqual(expect.stringMatching(/held in memory/))
  await runTab({ source: files, options: { format, selfTest: false, convertedFolder } })
  const kept = await runTab({ source: files, options: { format, selfTest: false, convertedFolder } })
  expect(kept.convertedBytes).toBe(0)
  expect(kept.logits).toEqual(inMemory.logits)
})

test("in a page's own thread kept weights are read too", async () => {
  const convertedFolder = newFolder()
  const options = { format: 'f32', convertedFolder, selfTest: false } as const
  const { logits } = await runTab({ source: files, options })
  await using lm = await loadCausalLM(files, options)
  expect(lm.plan.notes).toContainEqual(expect.stringMatching(/earlier start are read/))
  await using cache = lm.createCache()
  const step = await lm.forward({ tokens: Int32Array.from(tokens), cache, want: { logits: 'all' } })
  expect(Float32Array.from(step.logits?.data ?? [])).toEqual(logits)
})

test('two tabs at once convert once', async () => {
  const convertedFolder = newFolder()
  const job = { source: files, options: { format: 'f32', convertedFolder, selfTest: false } } as const
  const outcomes = await Promise.all([runTab(job), runTab(job)])
  expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined])
  expect(outcomes.filter(({ convertedBytes = 0 }) => convertedBytes > 0)).toHaveLength(1)
})

test('weights that are not whole are converted again', async () => {
  const convertedFolder = newFolder()
  const options = { format: 'f32', convertedFolder, selfTest: false } as const
  const first = await runTab({ source: files, options })
  const [entry] = await listStoredModels(convertedFolder)
  const folder = await (await root.getDirectoryHandle(convertedFolder)).getDirectoryHandle(entry?.key ?? '')
  const writable = await (await folder.getFileHandle('weights.bin')).createWritable({ keepExistingData: true })
  await writable.truncate(1000)
  await writable.close()
  const again = await runTab({ source: files, options })
  expect(again.convertedBytes).toBeGreaterThan(0)
  expect(again.logits).toEqual(first.logits)
})

test('without room for converted weights the model opens from memory, and a note says so', async () => {
  const convertedFolder = newFolder()
  const used = (await navigator.storage.estimate()).usage ?? 0
  await devtools().send('Storage.overrideQuotaForOrigin', { origin: location.origin, quotaSize: used + 100_000 })
  try {
    const outcome = await runTab({ source: files, options: { format: 'f32', convertedFolder, selfTest: false } })
    expect(outcome.error).toBeUndefined()
    expect(outcome.notes).toContainEqual(expect.stringMatching(/held in memory: the browser gives this page no more room/))
    expect(outcome.entries).toEqual([])
  } finally {
    await devtools().send('Storage.overrideQuotaForOrigin', { origin: location.origin })
  }
})

test('what is kept is listed, removed, and makes room when there is a limit', async () => {
  const convertedFolder = newFolder()
  await runTab({ source: files, options: { format: 'f32', convertedFolder, selfTest: false } })
  const [f32] = await listStoredModels(convertedFolder)
  expect(f32).toMatchObject({ name: '2 chosen files', byteLength: expect.any(Number) })
  const limited = await runTab({ source: files, options: { format: 'int8', convertedFolder, selfTest: false, convertedLimitBytes: 1 } })
  expect(limited.entries).toHaveLength(1)
  expect(limited.entries?.[0]?.key).not.toBe(f32?.key)
  await removeStoredModel(convertedFolder, limited.entries?.[0]?.key ?? '')
  expect(await listStoredModels(convertedFolder)).toEqual([])
})

test('a repository of the hub is downloaded once, converted once, and opens offline', async () => {
  const [convertedFolder, cacheFolder] = [newFolder(), newFolder()]
  const job = { source: 'tests/tiny', files, cacheFolder, options: { format: 'f32', convertedFolder, selfTest: false } } as const
  const first = await runTab(job)
  expect(first.error).toBeUndefined()
  expect(first.requests).toEqual(['config.json', 'model.safetensors'])
  expect(first.entries).toMatchObject([{ name: 'tests/tiny' }])
  const second = await runTab({ ...job, offline: true, files: new Map() })
  expect(second).toMatchObject({ requests: [], convertedBytes: 0 })
  expect(second.logits).toEqual(first.logits)
})

test.each([
  ['a path', './model.gguf', 'checkpoint', /a page has none.*organisation\/name/],
  ['pickled weights', new Map([['pytorch_model.bin', new Blob(['PK'])]]), 'repository', /safetensors/],
  ['a text', new Map([['notes.txt', new Blob(['hello'])]]), 'repository', /no weights/],
  ['a GGUF that is none', new Map([['model.gguf', new Blob(['hello there, this is no model'])]]), 'weights-format', /model\.gguf/],
  ['weights without a configuration', new Map([...files].slice(1)), 'model-config', /config\.json/],
])('%s is refused with a typed error', async (_, source, code, message) => {
  const { error } = await runTab({ source, options: {} })
  expect(error).toEqual({ code, message: expect.stringMatching(message) })
})
