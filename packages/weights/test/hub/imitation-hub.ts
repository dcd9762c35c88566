/**
 * A hub on 127.0.0.1 for the tests: listing, commits, redirects to a storage path with ranges and ETags, and faults on demand.
 * Written from the hub's documented behaviour; its hashes come from node:crypto applied to the whole content.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

export const COMMIT = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00'
export const REPOSITORY = 'tests/tiny'

export interface ImitatedFile {
  content: Uint8Array
  /** In large file storage: listed with a SHA-256. */
  isLarge: boolean
  /** ETag of the storage, with its quotes. */
  etag: string
}

/** Answers instead of the storage, once. Returns false to let the storage answer after all. */
export type Fault = (request: IncomingMessage, response: ServerResponse, file: ImitatedFile) => boolean | undefined

export interface ImitationHub extends AsyncDisposable {
  readonly endpoint: string
  readonly files: Map<string, ImitatedFile>
  /** Faults of the storage by path, used up from the front. */
  readonly faults: Map<string, Fault[]>
  /** Faults of the programming interface, for any address under /api/. */
  readonly apiFaults: ((request: IncomingMessage, response: ServerResponse) => void)[]
  /** Requests to the storage: path and Range header. */
  readonly requests: { path: string; range: string | undefined; ifRange: string | undefined; authorization: string | undefined }[]
  /** Replaces the listing, to test what is refused. */
  listing: unknown
}

export async function startImitationHub(contents: Record<string, Uint8Array | string>): Promise<ImitationHub> {
  const files = new Map<string, ImitatedFile>()
  for (const [path, content] of Object.entries(contents)) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    files.set(path, { content: bytes, isLarge: /\.(?:safetensors|gguf|bin)$/.test(path), etag: `"${sha256(bytes).slice(0, 16)}"` })
  }
  const hub: Omit<ImitationHub, 'endpoint' | typeof Symbol.asyncDispose> = {
    files,
    faults: new Map(),
    apiFaults: [],
    requests: [],
    listing: undefined,
  }
  const server = createServer((request, response) => answer(hub, request, response))
  const port = await listen(server)
  return Object.assign(hub, {
    endpoint: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      if (!server.listening) return
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

/** Serves the request as the storage does, from the start or from a range. */
export function serveContent(request: IncomingMessage, response: ServerResponse, file: ImitatedFile): void {
  const { range, 'if-range': ifRange } = request.headers
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
  const headers = { etag: file.etag, 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream' }
  if (start >= file.content.length && start > 0) {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${file.content.length}` }).end()
    return
  }
  if (range === undefined || (ifRange !== undefined && ifRange !== file.etag)) {
    response.writeHead(200, { ...headers, 'content-length': file.content.length }).end(file.content)
    return
  }
  response
    .writeHead(206, {
      ...headers,
      'content-length': file.content.length - start,
      'content-range': `bytes ${start}-${file.content.length - 1}/${file.content.length}`,
    })
    .end(file.content.subarray(start))
}

/** Announces the whole file, sends `bytes` of it, and breaks the connection. */
export function breakAfter(bytes: number): Fault {
  return (request, response, file) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const length = file.content.length - start
    const range = { 'content-range': `bytes ${start}-${file.content.length - 1}/${file.content.length}` }
    response.writeHead(start > 0 ? 206 : 200, { etag: file.etag, 'content-length': length, ...(start > 0 && range) })
    response.write(file.content.subarray(start, start + bytes), () => setTimeout(() => response.destroy(), 20))
    return true
  }
}

export function status(code: number, headers: Record<string, string> = {}): Fault {
  return (_request, response) => {
    response.writeHead(code, { 'content-type': 'text/plain', ...headers }).end('no')
    return true
  }
}

export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

export function gitBlobId(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
}

/** Bytes that are different everywhere, so that a part in the wrong place shows. */
export function countingBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 7) & 255)
}

type HubState = Omit<ImitationHub, 'endpoint' | typeof Symbol.asyncDispose>

function answer(hub: HubState, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
  if (pathname.startsWith('/api/')) {
    const fault = hub.apiFaults.shift()
    if (fault !== undefined) fault(request, response)
    else answerApi(hub, pathname, response)
    return
  }
  const resolved = new RegExp(`^/${REPOSITORY}/resolve/${COMMIT}/(.+)$`).exec(pathname)?.[1]
  if (resolved !== undefined && hub.files.has(decodeURIComponent(resolved))) {
    response.writeHead(302, { location: `/storage/${resolved}` }).end()
    return
  }
  const path = decodeURIComponent(/^\/storage\/(.+)$/.exec(pathname)?.[1] ?? '')
  const file = hub.files.get(path)
  if (file === undefined) {
    response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end('Entry not found')
    return
  }
  const { range, authorization } = request.headers
  const ifRange = request.headers['if-range']
  hub.requests.push({ path, range, ifRange: typeof ifRange === 'string' ? ifRange : undefined, authorization })
  if (hub.faults.get(path)?.shift()?.(request, response, file) === true) return
  serveContent(request, response, file)
}

function answerApi(hub: HubState, pathname: string, response: ServerResponse): void {
  const json = (value: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  if (pathname === '/api/models') return void json([])
  if (pathname === `/api/models/${REPOSITORY}/revision/main` || pathname === `/api/models/${REPOSITORY}/revision/${COMMIT}`)
    return void json({ _id: '1', id: REPOSITORY, sha: COMMIT, lastModified: '2026-01-01T00:00:00.000Z' })
  if (pathname === `/api/models/${REPOSITORY}/tree/${COMMIT}`) return void json(hub.listing ?? listFiles(hub.files))
  response.writeHead(404, { 'content-type': 'application/json', 'x-error-code': 'RepoNotFound' }).end('{"error":"Repository not found"}')
}

function listFiles(files: ReadonlyMap<string, ImitatedFile>): unknown[] {
  return [...files].map(([path, { content, isLarge }]) => {
    const entry = { type: 'file', path, size: content.length, oid: gitBlobId(content) }
    return isLarge ? { ...entry, lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } } : entry
  })
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
