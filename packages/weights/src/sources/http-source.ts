/**
 * A file on a server, read by HTTP range requests (RFC 9110, section 14). A server may ignore ranges, send an error page with status 200, or swap the
 * file between two requests; each answer is therefore compared with what was asked for and with the answer before: status 206, the range in `Content-Range`, the
 * same total length, the same `ETag` or date, and exactly as many bytes as promised. Bytes are counted as they arrive, so an endless body is cut off.
 */
import { DisposedError } from '@foretoken/tensor'
import { NetworkError } from '../errors.ts'
import { type ByteSource, checkRange } from './byte-source.ts'

export interface HttpSourceOptions {
  /** For tests, proxies and caches; the global `fetch` when absent. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a server says about the version of a file. */
interface Version {
  readonly totalBytes: number
  readonly entityTag: string | null
  readonly lastModified: string | null
}

interface RangeRequest {
  readonly url: string
  readonly name: string
  readonly fetch: typeof globalThis.fetch
  readonly headers: Readonly<Record<string, string>>
  readonly offset: number
  readonly length: number
  readonly signal: AbortSignal | undefined
}

/**
 * Asks for one byte to learn the length, then reads ranges when they are asked for.
 *
 * @param url  the address; its last part is the name of the source
 * @throws {NetworkError} when the server cannot be reached, answers with an error, or does not support ranges
 */
export async function httpSource(url: string, options: HttpSourceOptions = {}): Promise<ByteSource> {
  const name = nameOf(url)
  const base = { url, name, fetch: options.fetch ?? globalThis.fetch, headers: options.headers ?? {} }
  const version = await probe({ ...base, offset: 0, length: 1, signal: options.signal })
  let isDisposed = false
  return {
    name,
    byteLength: version.totalBytes,
    async read(offset, length, readOptions) {
      const signal = readOptions?.signal
      signal?.throwIfAborted()
      if (isDisposed) throw new DisposedError({ file: name, found: 'a read after disposal', expected: 'a source that is open' })
      checkRange({ name, byteLength: version.totalBytes }, offset, length)
      if (length === 0) return new Uint8Array(0)
      const request = { ...base, offset, length, signal }
      const response = await ask(request)
      const answered = await orCancelled(response, () => checkVersion(request, version, rangeVersion(request, response)))
      return await readBody(request, answered)
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true
    },
  }
}

async function probe(request: RangeRequest): Promise<Version> {
  const response = await ask(request)
  // An empty file has no first byte: servers answer 416 and give the length.
  if (response.status === 416 && response.headers.get('content-range') === 'bytes */0') {
    await response.body?.cancel()
    return { totalBytes: 0, entityTag: response.headers.get('etag'), lastModified: response.headers.get('last-modified') }
  }
  let version: Version | undefined
  const checked = await orCancelled(response, () => {
    version = rangeVersion(request, response)
  })
  await readBody(request, checked)
  if (version === undefined) throw problem(request, 'no length', 'a length in Content-Range')
  return version
}

async function ask(request: RangeRequest): Promise<Response> {
  const { url, offset, length, headers, signal } = request
  const range = `bytes=${offset}-${offset + length - 1}`
  try {
    // A compressed body would be counted in other bytes than the range.
    return await request.fetch(url, {
      headers: { ...headers, range, 'accept-encoding': 'identity' },
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (cause) {
    signal?.throwIfAborted()
    throw problem(request, `no answer (${cause instanceof Error ? cause.message : String(cause)})`, 'an answer from the server', cause)
  }
}

/** Checks status and headers, and returns what they say about the file. */
function rangeVersion(request: RangeRequest, response: Response): Version {
  const { offset, length } = request
  const { status, headers } = response
  if (headers.get('content-type')?.startsWith('text/html')) throw problem(request, `a web page (status ${status})`, 'the bytes of a file')
  if (status === 200) throw problem(request, 'the whole file (status 200)', 'a server that supports range requests (status 206)')
  if (status !== 206) throw problem(request, `status ${status}`, 'status 206')
  const range = headers.get('content-range') ?? ''
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range)
  const [first, last, totalBytes] = match === null ? [] : match.slice(1).map(Number)
  if (first !== offset || last !== offset + length - 1 || totalBytes === undefined || !Number.isSafeInteger(totalBytes)) {
    throw problem(request, `the range '${range.slice(0, 100)}'`, `'bytes ${offset}-${offset + length - 1}/length'`)
  }
  return { totalBytes, entityTag: headers.get('etag'), lastModified: headers.get('last-modified') }
}

function checkVersion(request: RangeRequest, before: Version, after: Version): void {
  if (after.totalBytes !== before.totalBytes)
    throw problem(request, `a file of ${after.totalBytes} bytes`, `the ${before.totalBytes} bytes that it had at first`)
  if (after.entityTag !== before.entityTag) throw changed(request, 'ETag', after.entityTag, before.entityTag)
  if (after.entityTag === null && after.lastModified !== before.lastModified)
    throw changed(request, 'Last-Modified', after.lastModified, before.lastModified)
}

function changed(request: RangeRequest, header: string, after: string | null, before: string | null): NetworkError {
  return problem(
    request,
    `a file that was changed in the meantime (${header} ${after ?? 'missing'})`,
    `the same version as before (${header} ${before ?? 'missing'})`,
  )
}

/** Runs a check; when it fails, the body is not left open. */
async function orCancelled(response: Response, check: () => void): Promise<Response> {
  try {
    check()
    return response
  } catch (cause) {
    await response.body?.cancel().catch(() => undefined)
    throw cause
  }
}

/** Reads exactly as many bytes as were asked for. */
async function readBody(request: RangeRequest, response: Response): Promise<Uint8Array> {
  const { length, signal } = request
  const bytes = new Uint8Array(length)
  let filled = 0
  const reader = response.body?.getReader()
  try {
    for (;;) {
      const part = await reader?.read()
      if (part === undefined || part.done) break
      if (filled + part.value.byteLength > length) throw problem(request, `more than ${length} bytes`, `the ${length} bytes of the range`)
      bytes.set(part.value, filled)
      filled += part.value.byteLength
    }
  } catch (cause) {
    await reader?.cancel().catch(() => undefined)
    signal?.throwIfAborted()
    if (cause instanceof NetworkError) throw cause
    throw problem(request, `a connection that broke after ${filled} bytes`, `${length} bytes`, cause)
  }
  if (filled !== length) throw problem(request, `${filled} bytes`, `the ${length} bytes of the range`)
  return bytes
}

function problem({ name, offset }: RangeRequest, found: string, expected: string, cause?: unknown): NetworkError {
  return new NetworkError({ file: name, offset, found, expected }, cause === undefined ? undefined : { cause })
}

/** The last part of the path; queries may hold secrets and are left out of messages. */
function nameOf(url: string): string {
  const path = (URL.parse(url)?.pathname ?? url).split('/').filter((part) => part !== '')
  const last = path.at(-1) ?? url
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}
