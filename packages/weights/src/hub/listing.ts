/** The files of a repository at one commit, as the hub's programming interface lists them (pages of entries, linked by `Link` headers). */

import { HubNetworkError, RepositoryError } from './errors.ts'
import { type HubFile, isCommit, type RepositoryInfo, readListedFile } from './hub-file.ts'
import { type Connection, connectionError, requestOnce, withRetries } from './request.ts'
import { watchForStall } from './stall-watch.ts'

/** More files than any model has; a server that lists for ever is stopped here. */
const MAX_FILES = 20_000

/**
 * @throws {HubNetworkError} when the hub cannot be reached or refuses
 * @throws {RepositoryError} when its answer cannot be used
 */
export async function listRepository(
  connection: Connection,
  repository: string,
  revision: string,
  signal: AbortSignal | undefined,
): Promise<RepositoryInfo> {
  const base = `${connection.endpoint}/api/models/${repository}`
  const { body } = await fetchJson(connection, `${base}/revision/${encodeURIComponent(revision)}`, signal)
  if (typeof body !== 'object' || body === null || !('sha' in body)) throw notAHub(base, 'an answer without a commit')
  const commit = body.sha
  if (typeof commit !== 'string' || !isCommit(commit))
    throw new RepositoryError({ repository, field: 'sha', found: String(commit), expected: 'a commit of 40 hexadecimal digits' })
  const files: HubFile[] = []
  let entries = 0
  for (let page: string | undefined = `${base}/tree/${commit}?recursive=true`; page !== undefined; ) {
    const listed: JsonAnswer = await fetchJson(connection, page, signal)
    if (!Array.isArray(listed.body)) throw notAHub(page, 'an answer that is no list')
    for (const entry of listed.body) {
      const file = readListedFile(repository, entry)
      if (file !== undefined) files.push(file)
    }
    entries += Math.max(1, listed.body.length)
    if (entries > MAX_FILES) throw new RepositoryError({ repository, found: `more than ${MAX_FILES} files`, expected: 'a model' })
    page = nextPage(connection, page, listed.link)
  }
  return { repository, revision, commit, files }
}

interface JsonAnswer {
  readonly body: unknown
  readonly link: string | null
}

function fetchJson(connection: Connection, url: string, signal: AbortSignal | undefined): Promise<JsonAnswer> {
  return withRetries(connection.retry, signal, async () => {
    using watch = watchForStall(url, connection.stallTimeoutMs, signal)
    const response = await requestOnce(connection, url, { headers: { accept: 'application/json' }, signal: watch.signal })
    const contentType = response.headers.get('content-type') ?? ''
    if (!contentType.includes('json')) {
      await response.body?.cancel()
      throw notAHub(url, contentType || 'no content type', response.status)
    }
    // Read here, where a break is still tried again.
    const text = await response.text().catch((error: unknown) => {
      throw connectionError(url, watch.signal.aborted ? watch.signal.reason : error)
    })
    try {
      return { body: JSON.parse(text), link: response.headers.get('link') }
    } catch (cause) {
      throw notAHub(url, `an answer that is not JSON (${String(cause)})`, response.status, cause)
    }
  })
}

/** The address of the next page; one that leads to another server is not followed. */
function nextPage(connection: Connection, page: string, link: string | null): string | undefined {
  const target = /<([^>]+)>;\s*rel="?next"?/.exec(link ?? '')?.[1]
  if (target === undefined) return undefined
  const next = new URL(target, page)
  if (next.origin !== new URL(connection.endpoint).origin) throw notAHub(page, `a next page at ${next.origin}`)
  return next.href
}

function notAHub(url: string, found: string, status?: number, cause?: unknown): HubNetworkError {
  const advice = 'A proxy or a login page may answer in its place; check the endpoint'
  return new HubNetworkError({ url, status, found, expected: 'a listing in JSON', advice }, { cause })
}
