/**
 * One HTTP request to the hub or its storage, and what may go wrong with it. Every failure becomes a `HubNetworkError` that says what to do;
 * failures that pass (429, 5xx, a connection that breaks or stalls) are tried again a bounded number of times with growing pauses.
 */
import { HubNetworkError } from './errors.ts'
import { pause } from './pause.ts'

export interface RetryPolicy {
  /** Failures in a row after which the error is passed on. */
  readonly attempts: number
  /** Pause after the first failure; doubles with each further one. */
  readonly firstDelayMs: number
  readonly longestDelayMs: number
}

export interface Connection {
  readonly endpoint: string
  readonly fetch: typeof globalThis.fetch
  readonly accessToken: string | undefined
  readonly retry: RetryPolicy
  /** A connection without a byte for this long counts as broken. */
  readonly stallTimeoutMs: number
}

/** Errors of a connection that will not go away by trying again at once. */
const LASTING_CONNECTION_ERRORS = new Map([
  ['ENOTFOUND', 'the name of the server could not be resolved'],
  ['ECONNREFUSED', 'the server refused the connection'],
  ['CERT_HAS_EXPIRED', 'the certificate of the server has expired'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'the certificate of the server is not trusted'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate of the server is not trusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the certificate of the server is not trusted'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'the certificate of the server is not trusted'],
])
const CONNECTION_ADVICE = 'Check the connection, a proxy or a firewall; a mirror can be given as the endpoint'

/**
 * Runs `operation` until it succeeds, fails for good, or has failed `attempts` times in a row.
 *
 * @param operation  is given `progressed`, to be called when an attempt brought something that will not be lost
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  operation: (progressed: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0
  const progressed = () => {
    failures = 0
  }
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await operation(progressed)
    } catch (error) {
      signal?.throwIfAborted()
      failures += 1
      if (!(error instanceof HubNetworkError) || !error.isTemporary || failures >= policy.attempts) throw error
      const backoffMs = Math.min(policy.firstDelayMs * 2 ** (failures - 1), policy.longestDelayMs)
      const askedMs = Math.min(error.retryAfterMs, policy.longestDelayMs)
      await pause(Math.max(backoffMs, askedMs), signal)
    }
  }
}

/**
 * Sends one GET (or HEAD) request and returns the response if its status is 2xx.
 * The token goes to the hub's own origin only; `fetch` drops it on a redirect to another one.
 *
 * @throws {HubNetworkError} for every other status, for a connection that fails, for a redirect loop
 */
export async function requestOnce(
  connection: Connection,
  url: string,
  { method = 'GET', headers = {}, signal }: { method?: string; headers?: Record<string, string>; signal: AbortSignal },
): Promise<Response> {
  const sent = new Headers(headers)
  const isOwnOrigin = new URL(url).origin === new URL(connection.endpoint).origin
  if (connection.accessToken !== undefined && isOwnOrigin) sent.set('authorization', `Bearer ${connection.accessToken}`)
  let response: Response
  try {
    response = await connection.fetch(url, { method, headers: sent, signal, redirect: 'follow' })
  } catch (error) {
    throw connectionError(url, error)
  }
  if (response.ok) return response
  const error = statusError(url, response, connection.accessToken !== undefined)
  await response.body?.cancel().catch(() => undefined)
  throw error
}

/** Whatever `fetch` or the reading of a body threw, as a `HubNetworkError`. An error of ours is returned as it is. */
export function connectionError(url: string, error: unknown): Error {
  if (error instanceof HubNetworkError) return error
  const { code, message } = describeCause(error)
  if (/redirect count exceeded/i.test(message))
    return new HubNetworkError(
      { url, found: 'redirects that do not end', expected: 'a file', advice: 'A proxy or a mirror is set up wrongly' },
      { cause: error },
    )
  const lasting = code === undefined ? undefined : LASTING_CONNECTION_ERRORS.get(code)
  return new HubNetworkError(
    {
      url,
      found: lasting ?? `a connection that broke (${code ?? message})`,
      expected: 'an answer',
      advice: CONNECTION_ADVICE,
      isTemporary: lasting === undefined,
    },
    { cause: error },
  )
}

function describeCause(error: unknown): { code: string | undefined; message: string } {
  let message = String(error)
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    message = current.message
    if ('code' in current && typeof current.code === 'string') return { code: current.code, message }
  }
  return { code: undefined, message }
}

function statusError(url: string, response: Response, hasToken: boolean): HubNetworkError {
  const { status } = response
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? 0)
  return new HubNetworkError({
    url,
    status,
    found: `status ${status}`,
    expected: 'status 200',
    advice: adviceFor(status, response.headers.get('x-error-code'), hasToken),
    isTemporary: status === 408 || status === 429 || status >= 500,
    retryAfterMs: retryAfterSeconds > 0 ? retryAfterSeconds * 1000 : 0,
  })
}

function adviceFor(status: number, errorCode: string | null, hasToken: boolean): string {
  if (errorCode === 'GatedRepo') return 'Ask for access on the page of the model, then use the access token of that account'
  if (errorCode === 'EntryNotFound') return 'The repository has no such file: check its name'
  if (errorCode === 'RevisionNotFound') return 'The repository has no such branch, tag or commit'
  if (status === 401)
    return hasToken ? 'The access token is not valid, or the repository does not exist' : 'Give an access token, or check the name'
  if (status === 403) return 'The account of the access token may not read this repository, or a firewall refuses the request'
  if (status === 404) return 'Check the name of the repository and of the file; a private repository needs an access token'
  if (status === 407) return 'A proxy asks for a login'
  if (status === 429) return 'Too many requests: wait a few minutes; an access token raises the limit'
  if (status >= 500) return 'The server has a problem: try again later'
  return 'The server did not accept the request'
}
