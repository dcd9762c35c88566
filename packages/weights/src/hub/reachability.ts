import { type Connection, requestOnce } from './request.ts'

export interface Reachability {
  readonly isReachable: boolean
  /** Why not. */
  readonly reason?: string
}

/** Asks the hub for the smallest listing it has. A login page or a firewall's refusal is not the hub. */
export async function probe(connection: Connection, timeoutMs: number, signal: AbortSignal | undefined): Promise<Reachability> {
  signal?.throwIfAborted()
  const limit = AbortSignal.timeout(timeoutMs)
  try {
    const response = await requestOnce(connection, `${connection.endpoint}/api/models?limit=1`, {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    })
    await response.body?.cancel()
    const contentType = response.headers.get('content-type') ?? ''
    return contentType.includes('json') ? { isReachable: true } : { isReachable: false, reason: `something else answers (${contentType})` }
  } catch (error) {
    signal?.throwIfAborted()
    if (limit.aborted) return { isReachable: false, reason: `no answer within ${timeoutMs / 1000} s` }
    return { isReachable: false, reason: error instanceof Error ? error.message : String(error) }
  }
}
