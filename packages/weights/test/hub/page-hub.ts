/**
 * A hub inside of a page or worker, for tests without a server: `fetch` with a listing, ranges and ETags, and connections that break or are slow. Its hashes
 * come from Web Cryptography applied to the whole content.
 */

const COMMIT = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00'
export const REPOSITORY = 'tests/tiny'
export const ENDPOINT = 'https://hub.test'
export const WEIGHTS_FILE = 'model.safetensors'

export interface PageHubFaults {
  /** For each request of the weights in turn: bytes after which the connection breaks; whole answers when used up. */
  readonly breakAfter?: readonly number[]
  /** Other bytes than the listing promises. */
  readonly sendsWrongBytes?: boolean
  /** Milliseconds before each part of a body. */
  readonly partDelayMs?: number
  /** Nothing answers. */
  readonly isDown?: boolean
}

export interface PageHub {
  readonly fetch: typeof globalThis.fetch
  /** Range of each request for the weights; null for a whole file. */
  readonly requests: (string | null)[]
}

const PART_BYTES = 64 * 1024

export function pageHub(weights: Uint8Array<ArrayBuffer>, { breakAfter = [], ...faults }: PageHubFaults = {}): PageHub {
  const config = new TextEncoder().encode('{"model_type":"llama"}')
  const breaks = [...breakAfter]
  const requests: (string | null)[] = []
  const answer = async (url: URL, headers: Headers, signal: AbortSignal | undefined): Promise<Response> => {
    if (faults.isDown) throw new TypeError('Failed to fetch')
    if (url.pathname === `/api/models/${REPOSITORY}/revision/main`) return Response.json({ sha: COMMIT })
    if (url.pathname === `/api/models/${REPOSITORY}/tree/${COMMIT}`) {
      const oid = await hexDigest('SHA-256', weights)
      return Response.json([
        { type: 'file', path: 'config.json', size: config.length, oid: await gitBlobId(config) },
        { type: 'file', path: WEIGHTS_FILE, size: weights.length, oid: 'a'.repeat(40), lfs: { oid, size: weights.length } },
      ])
    }
    if (url.pathname.endsWith('/config.json')) return new Response(config)
    if (!url.pathname.endsWith(`/${WEIGHTS_FILE}`)) return new Response('no', { status: 404 })
    const range = headers.get('range')
    requests.push(range)
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
    const sent = faults.sendsWrongBytes ? weights.map((byte) => byte ^ 1) : weights
    const body = streamOf(sent.subarray(start), breaks.shift() ?? Number.POSITIVE_INFINITY, faults.partDelayMs ?? 0, signal)
    const contentRange = { 'content-range': `bytes ${start}-${weights.length - 1}/${weights.length}` }
    return new Response(body, {
      status: range === null ? 200 : 206,
      headers: { etag: '"v1"', 'content-length': String(weights.length - start), ...(range !== null && contentRange) },
    })
  }
  return { requests, fetch: (input, init) => answer(new URL(String(input)), new Headers(init?.headers), init?.signal ?? undefined) }
}

/** Bytes that are different everywhere, so that a part in the wrong place shows. */
export function countingBytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 7) & 255)
}

export async function hexDigest(algorithm: 'SHA-256' | 'SHA-1', bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, bytes))
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function gitBlobId(bytes: Uint8Array): Promise<string> {
  const header = new TextEncoder().encode(`blob ${bytes.length}\0`)
  const whole = new Uint8Array(header.length + bytes.length)
  whole.set(header)
  whole.set(bytes, header.length)
  return hexDigest('SHA-1', whole)
}

function streamOf(bytes: Uint8Array, breakAfter: number, delayMs: number, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  let sent = 0
  return new ReadableStream({
    async pull(controller) {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      if (signal?.aborted) return controller.error(signal.reason)
      if (sent >= breakAfter) return controller.error(new TypeError('network error'))
      if (sent >= bytes.length) return controller.close()
      const end = Math.min(bytes.length, sent + PART_BYTES, breakAfter)
      controller.enqueue(bytes.slice(sent, end))
      sent = end
    },
  })
}
