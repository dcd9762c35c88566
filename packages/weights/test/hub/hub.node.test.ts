import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type DownloadProgress, openHub } from '../../src/hub/index.ts'
import { COMMIT, countingBytes, gitBlobId, REPOSITORY, sha256, startImitationHub } from './imitation-hub.ts'
import { temporaryFolder } from './temporary-folder.ts'

const WEIGHTS = countingBytes(300_000)
const MODEL = {
  'config.json': '{"model_type":"llama"}',
  'model.safetensors': WEIGHTS,
  'pytorch_model.bin': countingBytes(10),
  'README.md': '# x',
}

test('info lists files with size, name in the cache and hash', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const info = await openHub({ endpoint: server.endpoint, cacheFolder: cache.path }).info(REPOSITORY)
  expect(info.commit).toBe(COMMIT)
  const config = new TextEncoder().encode(MODEL['config.json'])
  expect(info.files.find(({ path }) => path === 'model.safetensors')).toEqual({
    path: 'model.safetensors',
    size: 300_000,
    etag: sha256(WEIGHTS),
    sha256: sha256(WEIGHTS),
  })
  expect(info.files.find(({ path }) => path === 'config.json')).toEqual({
    path: 'config.json',
    size: config.length,
    etag: gitBlobId(config),
    gitSha1: gitBlobId(config),
  })
})

test('a download lies where the other hub libraries look for it, and pickles are left out', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const folder = await openHub({ endpoint: server.endpoint, cacheFolder: cache.path }).download(REPOSITORY)
  const root = join(cache.path, 'models--tests--tiny')
  expect(folder).toBe(join(root, 'snapshots', COMMIT))
  expect((await readdir(folder)).sort()).toEqual(['config.json', 'model.safetensors'])
  expect(await readlink(join(folder, 'model.safetensors'))).toBe(join('..', '..', 'blobs', sha256(WEIGHTS)))
  expect(await readFile(join(root, 'refs', 'main'), 'utf8')).toBe(COMMIT)
  expect(new Uint8Array(await readFile(join(folder, 'model.safetensors')))).toEqual(WEIGHTS)
  expect((await readdir(join(root, 'blobs'))).length).toBe(2)
  expect(await readdir(join(cache.path, '.locks', 'models--tests--tiny'))).toEqual([])
})

test('a second download fetches nothing', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path })
  await hub.download(REPOSITORY)
  const before = server.requests.length
  await hub.download(REPOSITORY)
  expect(server.requests.length).toBe(before)
})

test('a snapshot that lost its link is repaired from the blob', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path })
  const folder = await hub.download(REPOSITORY)
  await rm(join(folder, 'model.safetensors'))
  const before = server.requests.length
  await hub.download(REPOSITORY)
  expect((await stat(join(folder, 'model.safetensors'))).size).toBe(300_000)
  expect(server.requests.length).toBe(before)
})

test('files are chosen by name or by a function', async () => {
  await using server = await startImitationHub({ ...MODEL, 'sub/notes é.txt': 'hello' })
  await using cache = await temporaryFolder()
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path })
  const folder = await hub.download(REPOSITORY, { files: ['sub/notes é.txt'] })
  expect(await readFile(join(folder, 'sub', 'notes é.txt'), 'utf8')).toBe('hello')
  await hub.download(REPOSITORY, { pick: (files) => files.filter(({ path }) => path === 'README.md') })
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('# x')
  await expect(hub.download(REPOSITORY, { files: ['absent.json'] })).rejects.toMatchObject({ code: 'repository', message: /absent\.json/ })
})

test('progress ends at the total, and counts files and bytes', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const events: DownloadProgress[] = []
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path })
  await hub.download(REPOSITORY, { onProgress: (progress) => events.push(progress) })
  const total = MODEL['config.json'].length + 300_000
  expect(events.at(-1)).toMatchObject({
    file: 'model.safetensors',
    fileReceivedBytes: 300_000,
    fileTotalBytes: 300_000,
    receivedBytes: total,
    totalBytes: total,
    filesDone: 2,
    filesTotal: 2,
  })
  expect(events.every(({ receivedBytes }, index) => index === 0 || receivedBytes >= (events[index - 1]?.receivedBytes ?? 0))).toBe(true)
})

test('offline, what was downloaded is found and what was not is refused without a request', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const folder = await openHub({ endpoint: server.endpoint, cacheFolder: cache.path }).download(REPOSITORY)
  const offline = openHub({ endpoint: 'http://127.0.0.1:9', cacheFolder: cache.path, offline: true })
  expect(await offline.download(REPOSITORY)).toBe(folder)
  expect(await offline.reachable()).toMatchObject({ isReachable: false })
  await expect(offline.download('tests/other')).rejects.toMatchObject({ code: 'offline', message: /tests\/other/ })
  await expect(offline.info(REPOSITORY)).rejects.toMatchObject({ code: 'offline' })
})

test('the cache tells which files of a snapshot are there', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path })
  expect(await hub.cached(REPOSITORY)).toBeUndefined()
  const folder = await hub.download(REPOSITORY, { files: ['config.json'] })
  expect(await hub.cached(REPOSITORY)).toEqual({
    folder,
    commit: COMMIT,
    files: [{ path: 'config.json', size: MODEL['config.json'].length }],
  })
})

test('the access token goes to the endpoint and not to another origin', async () => {
  await using storage = await startImitationHub(MODEL)
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const seen: (string | undefined)[] = []
  server.faults.set('config.json', [
    (request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(302, { location: `${storage.endpoint}/storage/config.json` }).end()
      return true
    },
  ])
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path, accessToken: 'secret' })
  await hub.download(REPOSITORY, { files: ['config.json'] })
  expect(seen).toEqual(['Bearer secret'])
  expect(storage.requests).toMatchObject([{ path: 'config.json', authorization: undefined }])
})

test('reachable: yes for a hub, no for a login page, silence and a closed port', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path })
  expect(await hub.reachable()).toEqual({ isReachable: true })
  server.apiFaults.push((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>login</html>'))
  expect(await hub.reachable()).toMatchObject({ isReachable: false, reason: /text\/html/ })
  server.apiFaults.push(() => undefined)
  expect(await hub.reachable({ timeoutMs: 50 })).toMatchObject({ isReachable: false, reason: /0.05 s/ })
  await server[Symbol.asyncDispose]()
  expect(await hub.reachable()).toMatchObject({ isReachable: false, reason: /refused/ })
})

test.each(['', 'a/b/c', '../x', 'a/..', 'a--b/c', 'a/b?x', `a/${'b'.repeat(200)}`])('the repository name %j is refused', async (name) => {
  await using cache = await temporaryFolder()
  await expect(openHub({ cacheFolder: cache.path }).download(name)).rejects.toMatchObject({ code: 'argument' })
})

test.each(['../../x', '/etc', 'a b', ''])('the revision %j is refused', async (revision) => {
  await using cache = await temporaryFolder()
  await expect(openHub({ cacheFolder: cache.path }).download('a/b', { revision })).rejects.toMatchObject({ code: 'argument' })
})

test('the files of a repository are opened by their paths, also from the cache', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path })
  expect(await hub.cachedFiles(REPOSITORY)).toBeUndefined()
  const files = await hub.files(REPOSITORY)
  expect(files).toMatchObject({ name: REPOSITORY, paths: ['config.json', 'model.safetensors'], notes: [] })
  await using source = await files.open('model.safetensors')
  expect(await source.read(1000, 50)).toEqual(WEIGHTS.subarray(1000, 1050))
  await server[Symbol.asyncDispose]()
  expect((await hub.cachedFiles(REPOSITORY))?.paths).toEqual(['config.json', 'model.safetensors'])
})

test('the cache says what it takes, and gives a repository up', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path })
  expect(await hub.stored()).toEqual([])
  await hub.download(REPOSITORY)
  const byteLength = MODEL['config.json'].length + 300_000
  expect(await hub.stored()).toEqual([{ repository: REPOSITORY, byteLength, isPartial: false }])
  await hub.remove(REPOSITORY)
  expect(await hub.stored()).toEqual([])
  expect(await hub.cached(REPOSITORY)).toBeUndefined()
})

test('a listing in several pages is read to its end, and a page on another server is not asked for', async () => {
  await using server = await startImitationHub(MODEL)
  await using cache = await temporaryFolder()
  const asked: string[] = []
  let next = '/next?page=2'
  const entry = (path: string) => ({ type: 'file', path, size: 1, oid: 'a'.repeat(40) })
  const paged: typeof globalThis.fetch = async (input, init) => {
    const { pathname, origin } = new URL(String(input))
    asked.push(`${origin}${pathname}`)
    if (pathname === '/next') return Response.json([entry('second.json')])
    if (!pathname.includes('/tree/')) return fetch(input, init)
    return Response.json([entry('first.json')], { headers: { link: `<${next}>; rel="next"` } })
  }
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path, fetch: paged })
  expect((await hub.info(REPOSITORY)).files.map(({ path }) => path)).toEqual(['first.json', 'second.json'])
  next = 'https://elsewhere.test/next'
  await expect(hub.info(REPOSITORY)).rejects.toMatchObject({ code: 'network', message: /elsewhere\.test/ })
  expect(asked.filter((url) => !url.startsWith(server.endpoint))).toEqual([])
})
