/** The list of bad inputs from the network, as far as it concerns a download in Node: one test each. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type HubOptions, openHub } from '../../src/hub/index.ts'
import {
  breakAfter,
  COMMIT,
  countingBytes,
  type ImitationHub,
  REPOSITORY,
  serveContent,
  sha256,
  startImitationHub,
  status,
} from './imitation-hub.ts'
import { temporaryFolder } from './temporary-folder.ts'

const WEIGHTS = countingBytes(200_000)
const FILE = 'model.safetensors'
const QUICK = { attempts: 3, firstDelayMs: 1, longestDelayMs: 5 }

const setting = async () => {
  const server = await startImitationHub({ [FILE]: WEIGHTS })
  const cache = await temporaryFolder()
  const blobs = join(cache.path, 'models--tests--tiny', 'blobs')
  const blob = join(blobs, sha256(WEIGHTS))
  const open = (options: Partial<HubOptions> = {}) =>
    openHub({ endpoint: server.endpoint, cacheFolder: cache.path, retry: QUICK, ...options })
  return {
    server,
    cache,
    blobs,
    blob,
    partial: `${blob}.incomplete`,
    open,
    download: () => open().download(REPOSITORY, { files: [FILE] }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await cache[Symbol.asyncDispose]()
    },
  }
}

const faults = (server: ImitationHub, ...list: Parameters<typeof server.faults.set>[1]) => server.faults.set(FILE, list)

/** What an earlier process left: the first bytes, and the ETag under which they came. */
async function leavePartial({ blobs, partial }: { blobs: string; partial: string }, bytes: Uint8Array, etag?: string): Promise<void> {
  await mkdir(blobs, { recursive: true })
  await writeFile(partial, bytes)
  if (etag !== undefined) await writeFile(`${partial}.etag`, etag)
}

async function expectWhole(folder: string): Promise<void> {
  expect(sha256(await readFile(join(folder, FILE)))).toBe(sha256(WEIGHTS))
}

test('a partial file is continued with Range and If-Range, not fetched again', async () => {
  await using s = await setting()
  const etag = s.server.files.get(FILE)?.etag
  await leavePartial(s, WEIGHTS.subarray(0, 120_000), etag)
  await expectWhole(await s.download())
  expect(s.server.requests).toMatchObject([{ range: 'bytes=120000-', ifRange: etag }])
  expect(await readdir(s.blobs)).toEqual([sha256(WEIGHTS)])
})

test('a partial file of another tool, without an ETag beside it, is continued too', async () => {
  await using s = await setting()
  await leavePartial(s, WEIGHTS.subarray(0, 50_000))
  await expectWhole(await s.download())
  expect(s.server.requests).toMatchObject([{ range: 'bytes=50000-', ifRange: undefined }])
})

test('a partial file that is already whole is checked and needs no request', async () => {
  await using s = await setting()
  await leavePartial(s, WEIGHTS)
  await expectWhole(await s.download())
  expect(s.server.requests).toEqual([])
})

test('a partial file with wrong bytes is fetched once more from the start', async () => {
  await using s = await setting()
  await leavePartial(s, new Uint8Array(50_000))
  await expectWhole(await s.download())
  expect(s.server.requests.map(({ range }) => range)).toEqual(['bytes=50000-', undefined])
})

test('a partial file that is too long is thrown away', async () => {
  await using s = await setting()
  await leavePartial(s, countingBytes(250_000))
  await expectWhole(await s.download())
})

test('200 instead of 206: the file begins again and is right', async () => {
  await using s = await setting()
  await leavePartial(s, WEIGHTS.subarray(0, 90_000))
  faults(s.server, (_request, response, file) => {
    response.writeHead(200, { 'content-length': file.content.length }).end(file.content)
    return true
  })
  await expectWhole(await s.download())
})

test('a 206 that starts elsewhere is not appended', async () => {
  await using s = await setting()
  await leavePartial(s, WEIGHTS.subarray(0, 90_000))
  faults(s.server, (_request, response, file) => {
    response
      .writeHead(206, { 'content-range': `bytes 10-${file.content.length - 1}/${file.content.length}` })
      .end(file.content.subarray(10))
    return true
  })
  await expectWhole(await s.download())
})

test('a changed ETag in the middle: the file begins again', async () => {
  await using s = await setting()
  await leavePartial(s, new Uint8Array(90_000), '"older"')
  await expectWhole(await s.download())
  expect(s.server.requests).toMatchObject([{ range: 'bytes=90000-', ifRange: '"older"' }])
})

test('a changed ETag from a server that ignores If-Range: the file begins again', async () => {
  await using s = await setting()
  await leavePartial(s, new Uint8Array(90_000), '"older"')
  faults(s.server, (request, response, file) => {
    delete request.headers['if-range']
    serveContent(request, response, file)
    return true
  })
  await expectWhole(await s.download())
  expect(s.server.requests.map(({ range }) => range)).toEqual(['bytes=90000-', undefined])
})

test('a range that the server does not have (416): the file begins again', async () => {
  await using s = await setting()
  await leavePartial(s, WEIGHTS.subarray(0, 90_000))
  faults(s.server, status(416))
  await expectWhole(await s.download())
})

test('a connection that breaks in the middle is continued', async () => {
  await using s = await setting()
  faults(s.server, breakAfter(60_000), breakAfter(60_000))
  await expectWhole(await s.download())
  const starts = s.server.requests.map(({ range }) => Number(/\d+/.exec(range ?? '0')?.[0]))
  expect(starts).toHaveLength(3)
  expect(starts[0]).toBe(0)
  expect(starts[1]).toBeGreaterThan(0)
  expect(starts[2]).toBeGreaterThan(starts[1] ?? 0)
})

test('a connection that breaks every time ends in an error, and what has arrived stays', async () => {
  await using s = await setting()
  faults(s.server, breakAfter(1000), breakAfter(1000), breakAfter(1000), breakAfter(1000))
  await expect(s.download()).rejects.toMatchObject({ code: 'network', isTemporary: true, message: /what has arrived|connection/i })
  expect(s.server.requests).toHaveLength(3)
  expect((await stat(s.partial)).size).toBe(3000)
  await expectWhole(await s.download())
})

test('a short body: announced shorter than the listing is a size error, and nothing is left', async () => {
  await using s = await setting()
  faults(s.server, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 }).end(WEIGHTS.subarray(0, 100))
    return true
  })
  await expect(s.download()).rejects.toMatchObject({ code: 'download-size', message: /100 bytes.*200000 bytes/ })
  expect(await readdir(s.blobs)).toEqual([])
})

test('a short body that ends as if it were whole is continued', async () => {
  await using s = await setting()
  faults(s.server, (_request, response, file) => {
    response.writeHead(200, { etag: file.etag }).end(WEIGHTS.subarray(0, 100))
    return true
  })
  await expectWhole(await s.download())
  expect(s.server.requests.at(-1)).toMatchObject({ range: 'bytes=100-' })
})

test('a longer body is a size error, and nothing is left', async () => {
  await using s = await setting()
  faults(s.server, (_request, response) => {
    response.writeHead(200)
    response.write(WEIGHTS)
    response.end('more')
    return true
  })
  await expect(s.download()).rejects.toMatchObject({ code: 'download-size', message: /at least 200\d+ bytes/ })
  expect(await readdir(s.blobs)).toEqual([])
})

test('a wrong hash removes the file and names both hashes', async () => {
  await using s = await setting()
  const wrong = WEIGHTS.slice()
  wrong[100_000] = (wrong[100_000] ?? 0) ^ 1
  faults(s.server, (_request, response) => {
    response.writeHead(200, { 'content-length': wrong.length }).end(wrong)
    return true
  })
  await expect(s.download()).rejects.toMatchObject({
    code: 'download-hash',
    algorithm: 'sha256',
    expectedHash: sha256(WEIGHTS),
    foundHash: sha256(wrong),
    message: new RegExp(`${sha256(wrong)}.*${sha256(WEIGHTS)}`),
  })
  expect(await readdir(s.blobs)).toEqual([])
})

test('a small file with another content than git says is refused', async () => {
  await using server = await startImitationHub({ 'config.json': '{"a":1}' })
  await using cache = await temporaryFolder()
  server.faults.set('config.json', [
    (_request, response) => {
      response.end('{"a":2}')
      return true
    },
  ])
  const hub = openHub({ endpoint: server.endpoint, cacheFolder: cache.path, retry: QUICK })
  await expect(hub.download(REPOSITORY, { files: ['config.json'] })).rejects.toMatchObject({ code: 'download-hash', algorithm: 'git-sha1' })
})

test.each([
  ['by its type', 'text/html; charset=utf-8', '<p>hello'],
  ['by its start', 'application/octet-stream', '\n<!DOCTYPE html><title>login</title>'],
])('a web page instead of weights is recognised %s', async (_name, type, page) => {
  await using s = await setting()
  faults(s.server, (_request, response) => {
    response.writeHead(200, { 'content-type': type }).end(page)
    return true
  })
  await expect(s.download()).rejects.toMatchObject({
    code: 'network',
    isTemporary: false,
    message: /web page.*model\.safetensors.*browser/,
  })
})

test('a redirect loop is an error at once', async () => {
  await using s = await setting()
  const loop: Parameters<typeof s.server.faults.set>[1][number] = (_request, response) => {
    response.writeHead(302, { location: `/storage/${FILE}` }).end()
    return true
  }
  faults(s.server, ...Array.from({ length: 100 }, () => loop))
  await expect(s.download()).rejects.toMatchObject({ code: 'network', isTemporary: false, message: /redirects that do not end/ })
})

test.each([
  [401, /access token/],
  [403, /may not read/],
  [404, /name of the repository/],
])('status %i is an error that says what to do, without a second try', async (code, advice) => {
  await using s = await setting()
  faults(s.server, status(code))
  await expect(s.download()).rejects.toMatchObject({ code: 'network', status: code, message: advice })
  expect(s.server.requests).toHaveLength(1)
})

test('a gated repository says to ask for access', async () => {
  await using s = await setting()
  faults(s.server, status(403, { 'x-error-code': 'GatedRepo' }))
  await expect(s.download()).rejects.toMatchObject({ status: 403, advice: /Ask for access/ })
})

test.each([429, 500, 503])('status %i is tried again', async (code) => {
  await using s = await setting()
  faults(s.server, status(code, { 'retry-after': '3600' }), status(code))
  await expectWhole(await s.download())
  expect(s.server.requests).toHaveLength(3)
})

test('status 429 every time ends after the given number of attempts', async () => {
  await using s = await setting()
  faults(s.server, status(429), status(429), status(429), status(429))
  await expect(s.download()).rejects.toMatchObject({ status: 429, advice: /Too many requests/ })
  expect(s.server.requests).toHaveLength(3)
})

test('the listing is tried again as well', async () => {
  await using s = await setting()
  s.server.apiFaults.push(
    (_request, response) => response.destroy(),
    (_request, response) => response.writeHead(502).end(),
  )
  await expectWhole(await s.download())
})

test('a server that falls silent is left after the stall time, and the rest is fetched', async () => {
  await using s = await setting()
  faults(s.server, (_request, response, file) => {
    response.writeHead(200, { etag: file.etag, 'content-length': file.content.length })
    response.write(WEIGHTS.subarray(0, 5000))
    return true
  })
  await expectWhole(await s.open({ stallTimeoutMs: 200 }).download(REPOSITORY, { files: [FILE] }))
  expect(s.server.requests.at(-1)).toMatchObject({ range: 'bytes=5000-' })
})

test('a closed port is an error that says so, at once', async () => {
  await using s = await setting()
  await s.server[Symbol.asyncDispose]()
  await expect(s.download()).rejects.toMatchObject({ code: 'network', isTemporary: false, message: /127\.0\.0\.1.*refused.*Check/ })
})

test.each([
  ['a page', (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
  ['broken JSON', (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":')],
  ['null', (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' }).end('null')],
])('%s instead of the hub is a network error', async (_name, send) => {
  await using s = await setting()
  s.server.apiFaults.push((_request, response) => send(response))
  await expect(s.download()).rejects.toMatchObject({ code: 'network' })
})

test.each([
  ['a path that climbs', { type: 'file', path: '../../x', size: 1, oid: 'a'.repeat(40) }],
  ['an absolute path', { type: 'file', path: '/etc/x', size: 1, oid: 'a'.repeat(40) }],
  ['a Windows path', { type: 'file', path: 'C:\\x', size: 1, oid: 'a'.repeat(40) }],
  ['a hash that is a path', { type: 'file', path: 'x', size: 1, oid: '../../x' }],
  ['a SHA-256 that is too short', { type: 'file', path: 'x', size: 1, oid: 'a'.repeat(40), lfs: { oid: 'ab', size: 1 } }],
  ['a negative size', { type: 'file', path: 'x', size: -1, oid: 'a'.repeat(40) }],
  ['a fractional size', { type: 'file', path: 'x', size: 0.5, oid: 'a'.repeat(40) }],
  ['a string', 'x'],
])('a listing with %s is refused', async (_name, entry) => {
  await using s = await setting()
  s.server.listing = [entry]
  await expect(s.open().info(REPOSITORY)).rejects.toMatchObject({ code: 'repository' })
})

test('a listing that asks for more room than the disk has is refused before the first byte', async () => {
  await using s = await setting()
  s.server.listing = [{ type: 'file', path: FILE, size: 2 ** 52, oid: 'a'.repeat(40), lfs: { oid: 'b'.repeat(64), size: 2 ** 52 } }]
  await expect(s.download()).rejects.toMatchObject({ code: 'disk-full', message: /bytes free.*Free some space/ })
  expect(s.server.requests).toEqual([])
})

const hasFullDevice = await stat('/dev/full').then(
  () => true,
  () => false,
)
test.skipIf(!hasFullDevice)('a disk that gets full while writing is a typed error (needs /dev/full)', async () => {
  await using s = await setting()
  await mkdir(s.blobs, { recursive: true })
  await symlink('/dev/full', s.partial)
  await expect(s.download()).rejects.toMatchObject({ code: 'disk-full', message: /ENOSPC/ })
})

test('an abort leaves a partial file that the next call continues', async () => {
  await using s = await setting()
  const controller = new AbortController()
  let nowMs = 0
  const clock = () => (nowMs += 1000)
  faults(s.server, (_request, response, file) => {
    response.writeHead(200, { etag: file.etag, 'content-length': file.content.length })
    response.write(WEIGHTS.subarray(0, 70_000))
    return true
  })
  const onProgress = ({ receivedBytes }: { receivedBytes: number }) => {
    if (receivedBytes > 0) controller.abort(new Error('enough'))
  }
  await expect(s.open({ clock }).download(REPOSITORY, { files: [FILE], signal: controller.signal, onProgress })).rejects.toThrow('enough')
  const left = (await stat(s.partial)).size
  expect(left).toBeGreaterThan(0)
  await expectWhole(await s.download())
  expect(s.server.requests.at(-1)).toMatchObject({ range: `bytes=${left}-`, ifRange: s.server.files.get(FILE)?.etag })
})

test('an aborted signal makes no request', async () => {
  await using s = await setting()
  await expect(s.open().download(REPOSITORY, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  expect(s.server.requests).toEqual([])
})

test('two downloads of one file in one process fetch it once', async () => {
  await using s = await setting()
  const [first, second] = await Promise.all([s.download(), s.download()])
  expect(first).toBe(second)
  expect(s.server.requests).toHaveLength(1)
})

test('a process that was killed in the middle is continued by the next one', async () => {
  await using s = await setting()
  faults(s.server, (_request, response, file) => {
    response.writeHead(200, { etag: file.etag, 'content-length': file.content.length })
    response.write(WEIGHTS.subarray(0, 80_000))
    return true
  })
  const child = spawn(execPath, downloadScript(s), { cwd: PACKAGE, stdio: 'ignore' })
  const arrived = () =>
    stat(s.partial).then(
      ({ size }) => size,
      () => 0,
    )
  await expect.poll(arrived, { timeout: 20_000 }).toBe(80_000)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await expectWhole(await s.download())
  expect(s.server.requests.at(-1)).toMatchObject({ range: 'bytes=80000-', ifRange: s.server.files.get(FILE)?.etag })
})

test('two processes at once fetch a file once', async () => {
  await using s = await setting()
  faults(s.server, (request, response, file) => {
    setTimeout(() => serveContent(request, response, file), 300)
    return true
  })
  const run = () => promisify(execFile)(execPath, downloadScript(s), { cwd: PACKAGE })
  const outputs = await Promise.all([run(), run()])
  const folder = join(s.cache.path, 'models--tests--tiny', 'snapshots', COMMIT)
  expect(outputs.map(({ stdout }) => stdout.trim())).toEqual([folder, folder])
  expect(s.server.requests).toHaveLength(1)
  await expectWhole(folder)
})

const PACKAGE = join(import.meta.dirname, '..', '..')

/** Arguments for node: download the file in a process of its own and print the folder. */
function downloadScript({ server, cache }: { server: { endpoint: string }; cache: { path: string } }): string[] {
  const script = `
    import { openHub } from '@foretoken/weights/hub'
    const hub = openHub({ endpoint: ${JSON.stringify(server.endpoint)}, cacheFolder: ${JSON.stringify(cache.path)} })
    console.log(await hub.download(${JSON.stringify(REPOSITORY)}, { files: [${JSON.stringify(FILE)}] }))`
  return ['--conditions=foretoken-source', '--input-type=module', '--eval', script]
}
