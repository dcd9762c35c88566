/** Files for the page from 127.0.0.1, with the headers of a cross-origin isolated page. Nothing else is reachable through it. */
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

export interface StaticServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string
}

/** @param folders  by the first part of an address: `{ models: '/a' }` serves `/models/x` from `/a/x`; the one called '' serves the rest */
export async function serveFolders(folders: Readonly<Record<string, string>>): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const file = fileAt(request.url ?? '/', folders)
    const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
    if (file === undefined || found?.isFile() !== true) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-length': found.size,
      'cache-control': 'max-age=3600',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
    })
    if (request.method === 'HEAD') response.end()
    // A page that closes in the middle of a file is no failure of the server.
    else pipeline(createReadStream(file), response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function fileAt(address: string, folders: Readonly<Record<string, string>>): string | undefined {
  let path: string
  try {
    path = decodeURIComponent(new URL(address, 'http://localhost').pathname)
  } catch {
    return undefined
  }
  const [, first = '', rest = ''] = /^\/([^/]*)\/(.*)$/.exec(path) ?? []
  const [folder, below] = Object.hasOwn(folders, first) && first !== '' ? [folders[first], rest] : [folders[''], path.slice(1)]
  if (folder === undefined) return undefined
  const file = normalize(join(folder, below === '' ? 'index.html' : below))
  return file.startsWith(normalize(folder + sep)) ? file : undefined
}
