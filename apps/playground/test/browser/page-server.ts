/**
 * A static host for the built page, in a folder of its own, and a hub beside it on the same address. It can leave out the headers of
 * cross-origin isolation, and it can fall silent, which is what being offline looks like.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { ISOLATION_HEADERS } from '../../build/isolation.ts'

const COMMIT = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00'
export const REPOSITORY = 'tests/tiny'
const FOLDER = '/some/folder/'

export interface PageServer extends AsyncDisposable {
  readonly page: string
  /** Address of the hub. */
  readonly hub: string
  /** Files that the hub was asked for. */
  readonly downloads: string[]
  /** Whether requests are left unanswered. */
  isSilent: boolean
}

export interface PageServerOptions {
  readonly build: string
  readonly checkpoint: ReadonlyMap<string, Uint8Array>
  readonly isIsolated: boolean
}

export async function startPageServer({ build, checkpoint, isIsolated }: PageServerOptions): Promise<PageServer> {
  const downloads: string[] = []
  const state = { isSilent: false }
  const server = createServer((request, response) => {
    if (state.isSilent) {
      request.socket.destroy()
      return
    }
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname.startsWith(FOLDER)) void answerPage(build, pathname.slice(FOLDER.length), isIsolated, response)
    else answerHub(checkpoint, pathname, request.headers.range, downloads, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  // a secure context without certificates
  const origin = `http://localhost:${address.port}`
  return Object.assign(state, {
    page: `${origin}${FOLDER}?hub=${encodeURIComponent(origin)}`,
    hub: origin,
    downloads,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

async function answerPage(build: string, path: string, isIsolated: boolean, response: ServerResponse): Promise<void> {
  const name = path === '' ? 'index.html' : normalize(decodeURIComponent(path))
  try {
    const content = await readFile(join(build, name))
    response
      .writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', ...(isIsolated ? ISOLATION_HEADERS : {}) })
      .end(content)
  } catch {
    response.writeHead(404).end('not found')
  }
}

function answerHub(
  files: ReadonlyMap<string, Uint8Array>,
  path: string,
  range: string | undefined,
  downloads: string[],
  response: ServerResponse,
): void {
  const json = (value: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  if (path === `/api/models/${REPOSITORY}/revision/main`) return void json({ id: REPOSITORY, sha: COMMIT })
  if (path === `/api/models/${REPOSITORY}/tree/${COMMIT}`) return void json([...files].map(listed))
  const name = path.startsWith(`/${REPOSITORY}/resolve/`) ? path.split('/').slice(5).join('/') : ''
  const content = files.get(name)
  if (content === undefined) {
    response.writeHead(404, { 'x-error-code': path.startsWith('/api/') ? 'RepoNotFound' : 'EntryNotFound' }).end('not found')
    return
  }
  downloads.push(name)
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
  const headers = {
    etag: `"${hash('sha256', content)}"`,
    'content-length': content.length - start,
    'content-type': 'application/octet-stream',
  }
  const contentRange = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }
  response
    .writeHead(range === undefined ? 200 : 206, range === undefined ? headers : { ...headers, ...contentRange })
    .end(content.subarray(start))
}

function listed([path, content]: [string, Uint8Array]): object {
  const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
  const entry = { type: 'file', path, size: content.length, oid }
  return path.endsWith('.safetensors') ? { ...entry, lfs: { oid: hash('sha256', content), size: content.length, pointerSize: 130 } } : entry
}

function hash(algorithm: string, content: Uint8Array): string {
  return createHash(algorithm).update(content).digest('hex')
}
