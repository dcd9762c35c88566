/** The files of a repository at one commit, asked for through the hub's client library and then checked. */

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
  const { listFiles, modelInfo } = await import('@huggingface/hub')
  // The token travels in our own headers: the library takes only tokens that start with hf_, which those of mirrors need not.
  const shared = { hubUrl: connection.endpoint, fetch: jsonFetch(connection, signal) }
  try {
    const { sha } = await modelInfo({ ...shared, name: repository, revision, additionalFields: ['sha'] })
    if (typeof sha !== 'string' || !isCommit(sha))
      throw new RepositoryError({ repository, field: 'sha', found: String(sha), expected: 'a commit of 40 hexadecimal digits' })
    const files: HubFile[] = []
    let entries = 0
    for await (const entry of listFiles({ ...shared, repo: { type: 'model', name: repository }, recursive: true, revision: sha })) {
      entries += 1
      if (entries > MAX_FILES) throw new RepositoryError({ repository, found: `more than ${MAX_FILES} files`, expected: 'a model' })
      const file = readListedFile(repository, entry)
      if (file !== undefined) files.push(file)
    }
    return { repository, revision, commit: sha, files }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof RepositoryError || error instanceof HubNetworkError) throw error
    // What is left are answers that the library could not read.
    throw new HubNetworkError(
      { url: connection.endpoint, found: `an answer that is not the hub's (${String(error)})`, expected: 'a listing', advice: NOT_A_HUB },
      { cause: error },
    )
  }
}

const NOT_A_HUB = 'A proxy or a login page may answer in its place; check the endpoint'

/** A `fetch` for the library: with our token, retries, time limit and errors. */
function jsonFetch(connection: Connection, signal: AbortSignal | undefined): typeof globalThis.fetch {
  return (input) => {
    const url = input instanceof Request ? input.url : String(input)
    return withRetries(connection.retry, signal, async () => {
      using watch = watchForStall(url, connection.stallTimeoutMs, signal)
      const response = await requestOnce(connection, url, { headers: { accept: 'application/json' }, signal: watch.signal })
      const contentType = response.headers.get('content-type') ?? ''
      if (!contentType.includes('json')) {
        await response.body?.cancel()
        throw new HubNetworkError({
          url,
          status: response.status,
          found: contentType || 'no content type',
          expected: 'JSON',
          advice: NOT_A_HUB,
        })
      }
      // Read here, where a break is still tried again.
      const body = await response.text().catch((error: unknown) => {
        throw connectionError(url, watch.signal.aborted ? watch.signal.reason : error)
      })
      return new Response(body, { status: response.status, headers: response.headers })
    })
  }
}
