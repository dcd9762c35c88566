/**
 * One file from the hub into the storage: resumed, checked, and only then counted as there. Two processes or tabs that want the same file take turns
 * by a lock; the second finds the work done. The steps: lock, look again, check the room, bytes (resuming after every break), size, hash, its place.
 */
import { sendsIfRange } from '#hub-storage'
import { DownloadHashError, DownloadSizeError, HubNetworkError } from './errors.ts'
import type { HubFile } from './hub-file.ts'
import type { FileLock, PartialContent, RepositoryStorage } from './hub-storage.ts'
import { type Connection, connectionError, requestOnce, withRetries } from './request.ts'
import { watchForStall } from './stall-watch.ts'

export interface FileRequest {
  readonly connection: Connection
  readonly storage: RepositoryStorage
  readonly repository: string
  readonly commit: string
  readonly file: HubFile
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes of this file that are on the disk; `isNew` when they have just come through the network. */
  readonly onBytes?: ((receivedBytes: number, isNew: boolean) => void) | undefined
}

/** Bytes after which an attempt counts as progress, so that a long download survives many breaks and a hopeless one ends. */
const PROGRESS_BYTES = 1 << 20
/** Bytes looked at to recognise a web page. */
const PAGE_START_BYTES = 64

/**
 * Makes sure that the content of a file is in the storage.
 *
 * @throws {HubNetworkError | DownloadHashError | DownloadSizeError | DiskFullError} and the reason of `signal`; after a HubNetworkError, a full
 *   disk or an abort what has arrived stays and the next call goes on from there
 */
export async function fetchFile(request: FileRequest): Promise<void> {
  const { storage, file, signal, onBytes } = request
  if (await storage.has(file)) return
  const showOther = async () => onBytes?.(Math.min(await storage.partialBytes(file), file.size), false)
  await using lock = await storage.lock(file, { signal, onWait: showOther })
  if (await storage.has(file)) return
  try {
    await receive(request, lock)
  } catch (error) {
    // Taken away while this machine slept: somebody else is at it, so wait for the result.
    if (lock.lost.aborted && signal?.aborted !== true) return fetchFile(request)
    throw error
  }
}

async function receive(request: FileRequest, lock: FileLock): Promise<void> {
  const { connection, storage, file, signal, onBytes } = request
  const both = signal === undefined ? lock.lost : AbortSignal.any([signal, lock.lost])
  await using partial = await storage.openPartial(file, both)
  onBytes?.(partial.size, false)
  await partial.reserve()
  const receiveAll = () =>
    withRetries(connection.retry, both, async (progressed) => {
      if (partial.size < file.size) await receiveOnce(request, partial, both, progressed)
      await partial.flush()
    })
  await receiveAll()
  let foundHash = partial.digest()
  const expectedHash = file.sha256 ?? file.gitSha1
  if (foundHash !== expectedHash && partial.inheritedBytes > 0) {
    // Bytes of an earlier process were wrong (another tool, a crash before the disk was written): once more, from the start.
    await partial.restart()
    await receiveAll()
    foundHash = partial.digest()
  }
  if (expectedHash !== undefined && foundHash !== expectedHash) {
    await partial.remove()
    throw new DownloadHashError({
      file: `${request.repository}/${file.path}`,
      algorithm: file.sha256 === undefined ? 'git-sha1' : 'sha256',
      expectedHash,
      foundHash,
    })
  }
  await partial.finish()
}

/** One request and its body. Returns when the file is whole; a break is a temporary HubNetworkError. */
async function receiveOnce(request: FileRequest, partial: PartialContent, signal: AbortSignal, progressed: () => void): Promise<void> {
  const { connection, file, onBytes } = request
  const url = fileUrl(request)
  using watch = watchForStall(url, connection.stallTimeoutMs, signal)
  const response = await requestOnce(connection, url, { headers: rangeHeaders(partial), signal: watch.signal }).catch(
    async (error: HubNetworkError) => {
      if (error.status !== 416) throw error
      // The server has fewer bytes than we do: what is here belongs to something else.
      await partial.restart()
      throw interrupted(url, 'a range that the server does not have')
    },
  )
  refusePage(url, file, response.headers.get('content-type') ?? '', '')
  await agreeOnStart(url, partial, response)
  await checkAnnouncedSize(request, partial, response)
  if (response.body === null) throw interrupted(url, 'an empty answer')
  let counted = partial.size
  const chunks = readChunks(url, response.body, watch.signal)
  for await (const bytes of chunks) {
    watch.heard()
    if (partial.size === 0) refusePage(url, file, '', new TextDecoder().decode(bytes.subarray(0, PAGE_START_BYTES)))
    if (partial.size + bytes.length > file.size) {
      await partial.remove()
      throw wrongSize(request, `at least ${partial.size + bytes.length} bytes`)
    }
    await partial.append(bytes)
    onBytes?.(partial.size, true)
    if (partial.size - counted >= PROGRESS_BYTES) {
      counted = partial.size
      progressed()
    }
  }
  if (partial.size < file.size) throw interrupted(url, `${partial.size} of ${file.size} bytes`)
}

/** The chunks of a body; a break while reading becomes a HubNetworkError, so that errors of writing stay what they are. */
async function* readChunks(url: string, body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw connectionError(url, signal.aborted ? signal.reason : error)
      })
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function fileUrl({ connection, repository, commit, file }: FileRequest): string {
  return `${connection.endpoint}/${repository}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`
}

function rangeHeaders({ size, validator }: PartialContent): Record<string, string> {
  // A compressed answer would count other bytes than the file has.
  const headers = { 'accept-encoding': 'identity' }
  if (size === 0) return headers
  const range = { ...headers, range: `bytes=${size}-` }
  // A weak validator may not be sent (RFC 9110, 13.1.5); the answer's ETag is compared instead.
  return !sendsIfRange || validator === undefined || validator.startsWith('W/') ? range : { ...range, 'if-range': validator }
}

/** Decides whether the answer continues what is here or begins again, and remembers its ETag. */
async function agreeOnStart(url: string, partial: PartialContent, response: Response): Promise<void> {
  const etag = response.headers.get('etag') ?? undefined
  if (response.status === 206) {
    const start = contentRange(response)?.start
    const hasChanged = etag !== undefined && partial.validator !== undefined && etag !== partial.validator
    // A server that does not let pages see the range has said by its status that it is the one that was asked for.
    const isHidden = !sendsIfRange && response.headers.get('content-range') === null
    if ((start !== partial.size && !isHidden) || hasChanged) {
      await response.body?.cancel()
      await partial.restart()
      throw interrupted(url, hasChanged ? 'another version of the file' : `bytes from ${start}`)
    }
  } else if (response.status === 200) {
    if (partial.size > 0) await partial.restart()
  } else {
    await response.body?.cancel()
    const advice = 'The server does not send files in a way that is understood here'
    throw new HubNetworkError({ url, status: response.status, found: `status ${response.status}`, expected: 'status 200 or 206', advice })
  }
  await partial.setValidator(etag)
}

async function checkAnnouncedSize(request: FileRequest, partial: PartialContent, response: Response): Promise<void> {
  const encoding = response.headers.get('content-encoding') ?? 'identity'
  const length = response.headers.get('content-length')
  const total =
    response.status === 206 ? contentRange(response)?.total : encoding === 'identity' && length !== null ? Number(length) : undefined
  if (total === undefined || total === request.file.size) return
  await response.body?.cancel()
  await partial.remove()
  throw wrongSize(request, `${total} bytes`)
}

function contentRange(response: Response): { start: number; total: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '')
  if (match === null) return undefined
  return { start: Number(match[1]), total: match[2] === '*' ? undefined : Number(match[2]) }
}

function refusePage(url: string, file: HubFile, contentType: string, start: string): void {
  if (/\.html?$/i.test(file.path)) return
  if (!/text\/html/i.test(contentType) && !/^\s*<(?:!doctype html|html)/i.test(start)) return
  throw new HubNetworkError({
    url,
    found: 'a web page',
    expected: `the file ${file.path}`,
    advice: 'A login page of the network, a proxy or a firewall answers instead of the hub: open the address in a browser',
  })
}

function interrupted(url: string, found: string): HubNetworkError {
  const advice = 'The connection was cut; what has arrived is kept, start again to go on'
  return new HubNetworkError({ url, found, expected: 'the rest of the file', advice, isTemporary: true })
}

function wrongSize(request: FileRequest, found: string): DownloadSizeError {
  return new DownloadSizeError({ file: `${request.repository}/${request.file.path}`, found, expectedBytes: request.file.size })
}
