/** The list of bad inputs from the network as far as it concerns a page, with real files of the origin. Workers stand for tabs. */

import { afterAll, expect, test } from 'vitest'
import { cdp } from 'vitest/browser'
import { openHub } from '../../src/hub/index.ts'
import type { HubJob, HubOutcome, HubProgress } from './hub-worker.ts'
import { countingBytes, ENDPOINT, hexDigest, pageHub, REPOSITORY, WEIGHTS_FILE } from './page-hub.ts'

const BYTES = 3_000_000
const HASH = await hexDigest('SHA-256', countingBytes(BYTES))

const root = await navigator.storage.getDirectory()
const made: string[] = []
afterAll(async () => {
  for (const name of made) await root.removeEntry(name, { recursive: true }).catch(() => undefined)
})

function newFolder(): string {
  const name = `hub-test-${crypto.randomUUID()}`
  made.push(name)
  return name
}

interface DevTools {
  send(method: 'Storage.overrideQuotaForOrigin', parameters: { readonly origin: string; readonly quotaSize?: number }): Promise<unknown>
}

/** Vitest leaves the type of the session to the provider, whose types need Node's. */
function devtools(): DevTools {
  return cdp() as unknown as DevTools
}

interface Tab extends Disposable {
  readonly outcome: Promise<HubOutcome>
  /** Settles when this many bytes of the weights have arrived. */
  received(bytes: number): Promise<void>
}

function openTab(job: HubJob): Tab {
  const worker = new Worker(new URL('./hub-worker.ts', import.meta.url), { type: 'module' })
  const waiting: { readonly bytes: number; readonly resolve: () => void }[] = []
  const outcome = new Promise<HubOutcome>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message))
    worker.onmessage = ({ data }: MessageEvent<HubOutcome | HubProgress>) => {
      if (!('receivedBytes' in data)) return resolve(data)
      for (const each of waiting) if (data.receivedBytes >= each.bytes) each.resolve()
    }
  })
  worker.postMessage(job)
  return {
    outcome,
    received: (bytes) => new Promise((resolve) => waiting.push({ bytes, resolve })),
    [Symbol.dispose]: () => worker.terminate(),
  }
}

async function runTab(job: HubJob): Promise<HubOutcome> {
  using tab = openTab(job)
  return await tab.outcome
}

const startOf = (range: string | null | undefined) => Number(/\d+/.exec(range ?? '0')?.[0])

test('a download is stored: the next tab makes no request for it, also offline', async () => {
  const cacheFolder = newFolder()
  const first = await runTab({ cacheFolder, weightsBytes: BYTES })
  expect(first).toMatchObject({ hash: HASH, paths: ['config.json', WEIGHTS_FILE], notes: [], requests: [null] })
  expect(await runTab({ cacheFolder, weightsBytes: BYTES })).toMatchObject({ hash: HASH, requests: [] })
  expect(await runTab({ cacheFolder, weightsBytes: BYTES, offline: true, faults: { isDown: true } })).toMatchObject({ hash: HASH })
})

test('a tab that is closed in the middle is continued by the next one', async () => {
  const cacheFolder = newFolder()
  {
    using closed = openTab({ cacheFolder, weightsBytes: BYTES, faults: { partDelayMs: 5 } })
    await closed.received(1_000_000)
  }
  const next = await runTab({ cacheFolder, weightsBytes: BYTES })
  expect(next).toMatchObject({ hash: HASH })
  expect(next.requests).toHaveLength(1)
  expect(startOf(next.requests[0])).toBeGreaterThanOrEqual(1_000_000)
})

test('a connection that breaks is continued where it broke', async () => {
  const outcome = await runTab({ cacheFolder: newFolder(), weightsBytes: BYTES, faults: { breakAfter: [700_000, 900_000] } })
  expect(outcome).toMatchObject({ hash: HASH, requests: [null, 'bytes=700000-', 'bytes=1600000-'] })
})

test('a connection that breaks every time is a network error, and what has arrived stays', async () => {
  const cacheFolder = newFolder()
  const breakAfter = [100_000, 100_000, 100_000]
  expect(await runTab({ cacheFolder, weightsBytes: BYTES, faults: { breakAfter } })).toMatchObject({ error: { code: 'network' } })
  expect(await runTab({ cacheFolder, weightsBytes: BYTES })).toMatchObject({ hash: HASH, requests: ['bytes=300000-'] })
})

test('bytes with a wrong hash are an error and are not kept', async () => {
  const cacheFolder = newFolder()
  const wrong = await runTab({ cacheFolder, weightsBytes: BYTES, faults: { sendsWrongBytes: true } })
  expect(wrong.error).toMatchObject({ code: 'download-hash', message: expect.stringContaining(HASH) })
  expect(await runTab({ cacheFolder, weightsBytes: BYTES })).toMatchObject({ hash: HASH, requests: [null] })
})

test('wrong bytes of an earlier tab are fetched once more from the start', async () => {
  const cacheFolder = newFolder()
  {
    using closed = openTab({ cacheFolder, weightsBytes: BYTES, faults: { sendsWrongBytes: true, partDelayMs: 5 } })
    await closed.received(500_000)
  }
  const next = await runTab({ cacheFolder, weightsBytes: BYTES })
  expect(next).toMatchObject({ hash: HASH })
  expect(next.requests).toHaveLength(2)
  expect(next.requests[1]).toBe(null)
})

test('two tabs at once fetch a file once', async () => {
  const cacheFolder = newFolder()
  const job = { cacheFolder, weightsBytes: BYTES, faults: { partDelayMs: 3 } }
  const outcomes = await Promise.all([runTab(job), runTab(job)])
  expect(outcomes.map(({ hash }) => hash)).toEqual([HASH, HASH])
  expect(outcomes.flatMap(({ requests }) => requests)).toEqual([null])
})

test('without room the weights are held in memory, and the notes say so', async () => {
  const { origin } = location
  const session = devtools()
  const used = (await navigator.storage.estimate()).usage ?? 0
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: used + 1_000_000 })
  try {
    const outcome = await runTab({ cacheFolder: newFolder(), weightsBytes: BYTES })
    expect(outcome).toMatchObject({ hash: HASH, requests: [null] })
    expect(outcome.notes).toEqual([expect.stringMatching(/model\.safetensors is held in memory.*no more room/)])
    expect(outcome.progressNotes).toEqual(outcome.notes)
  } finally {
    await session.send('Storage.overrideQuotaForOrigin', { origin })
  }
})

test('a quota that ends in the middle costs no byte that has arrived', async () => {
  const { origin } = location
  const session = devtools()
  const cacheFolder = newFolder()
  const used = (await navigator.storage.estimate()).usage ?? 0
  try {
    using tab = openTab({ cacheFolder, weightsBytes: BYTES, faults: { partDelayMs: 10 } })
    await tab.received(1_000_000)
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: used + 1_500_000 })
    const outcome = await tab.outcome
    expect(outcome).toMatchObject({ hash: HASH, requests: [null] })
    expect(outcome.notes).toEqual([expect.stringMatching(/model\.safetensors is held in memory.*no more room/)])
  } finally {
    await session.send('Storage.overrideQuotaForOrigin', { origin })
  }
})

test('outside of a worker files are stored too, and a note says what a closed tab would lose', async () => {
  const cacheFolder = newFolder()
  const open = (server: ReturnType<typeof pageHub>) => openHub({ endpoint: ENDPOINT, cacheFolder, fetch: server.fetch })
  const first = pageHub(countingBytes(BYTES), { breakAfter: [500_000] })
  const files = await open(first).files(REPOSITORY)
  expect(first.requests).toEqual([null, 'bytes=500000-'])
  expect(files.notes).toEqual([expect.stringMatching(/closed tab/)])
  await using source = await files.open(WEIGHTS_FILE)
  expect(await hexDigest('SHA-256', new Uint8Array(await source.read(0, BYTES)))).toBe(HASH)
  const second = pageHub(countingBytes(BYTES))
  await open(second).files(REPOSITORY)
  expect(second.requests).toEqual([])
})

test('the cache says what it takes, and gives a repository up', async () => {
  const cacheFolder = newFolder()
  await runTab({ cacheFolder, weightsBytes: BYTES })
  const hub = openHub({ endpoint: ENDPOINT, cacheFolder, offline: true })
  const config = new TextEncoder().encode('{"model_type":"llama"}').length
  expect(await hub.stored()).toEqual([{ repository: REPOSITORY, byteLength: BYTES + config, isPartial: false }])
  await hub.remove(REPOSITORY)
  expect(await hub.stored()).toEqual([])
  await expect(hub.files(REPOSITORY)).rejects.toMatchObject({ code: 'offline' })
})
