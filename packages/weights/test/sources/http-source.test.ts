import { httpSource, openSafetensors } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { refusalOf } from '../builders/refusal.ts'
import { entry, safetensorsFile } from '../builders/safetensors-file.ts'

const BYTES = new Uint8Array(100).map((_, index) => index)
const URL_OF_FILE = 'https://example.org/a/model%20one.safetensors?token=secret'

interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: BodyInit
}

/** A server for ranges of `bytes`; `change` makes the answer to a request (numbered from 0) wrong. */
function server(bytes: Uint8Array = BYTES, change: (request: number, first: number, last: number) => Answer = () => ({})) {
  const requests: Request[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    init?.signal?.throwIfAborted()
    const [first = 0, last = 0] = (request.headers.get('range')?.match(/\d+/g) ?? []).map(Number)
    const { status = 206, headers = {}, body = new Uint8Array(bytes.slice(first, last + 1)) } = change(requests.length, first, last)
    requests.push(request)
    const all = { etag: '"one"', 'content-range': `bytes ${first}-${last}/${bytes.byteLength}`, ...headers }
    return new Response(body, {
      status,
      headers: Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)),
    })
  }
  return { fetch, requests }
}

describe('a file on a server', () => {
  test('is read by ranges, with the headers that were given', async () => {
    const { fetch, requests } = server()
    await using source = await httpSource(URL_OF_FILE, { fetch, headers: { authorization: 'Bearer x' } })
    expect(source).toMatchObject({ name: 'model one.safetensors', byteLength: 100 })
    expect([...(await source.read(10, 3))]).toEqual([10, 11, 12])
    expect((await source.read(0, 0)).byteLength).toBe(0)
    expect(requests.map((request) => request.headers.get('range'))).toEqual(['bytes=0-0', 'bytes=10-12'])
    expect(requests.every((request) => request.headers.get('authorization') === 'Bearer x')).toBe(true)
  })

  test('holds a checkpoint of which only the header and one tensor are fetched', async () => {
    const file = safetensorsFile({
      header: { a: entry('U8', [1000], 0, 1000), b: entry('U8', [4], 1000, 1004) },
      data: new Uint8Array(1004).fill(7),
    })
    const { fetch, requests } = server(file)
    await using store = await openSafetensors(await httpSource('https://example.org/model.safetensors', { fetch }))
    expect((await store.read('b')).bytes).toEqual(new Uint8Array([7, 7, 7, 7]))
    expect(requests).toHaveLength(4)
  })

  test('may be empty', async () => {
    const { fetch } = server(new Uint8Array(0), () => ({ status: 416, headers: { 'content-range': 'bytes */0' }, body: '' }))
    expect((await httpSource(URL_OF_FILE, { fetch })).byteLength).toBe(0)
  })

  test('is not asked outside of its length, nor after disposal', async () => {
    const { fetch } = server()
    const source = await httpSource(URL_OF_FILE, { fetch })
    expect((await refusalOf(source.read(99, 2))).code).toBe('argument')
    await source[Symbol.asyncDispose]()
    expect((await refusalOf(source.read(0, 1))).code).toBe('disposed')
  })
})

/** How opening ends with this answer to the first request. */
async function refusedAtOnce(answer: Answer) {
  return await refusalOf(httpSource(URL_OF_FILE, { fetch: server(BYTES, () => answer).fetch }))
}

/** How a read of bytes 10 to 20 ends with this answer, after a sound first one. */
async function refusedLater(answer: Answer) {
  const { fetch } = server(BYTES, (request) => (request === 0 ? {} : answer))
  const source = await httpSource(URL_OF_FILE, { fetch })
  const error = await refusalOf(source.read(10, 10))
  expect(error).toMatchObject({ code: 'network', where: { file: 'model one.safetensors', offset: 10 } })
  expect(error.message).not.toContain('secret')
  return error
}

describe('an answer is refused', () => {
  test('with status 200 instead of 206', async () => {
    expect((await refusedAtOnce({ status: 200 })).found).toBe('the whole file (status 200)')
    expect((await refusedLater({ status: 200 })).found).toBe('the whole file (status 200)')
  })
  test('when it is an error', async () => {
    for (const status of [401, 403, 404, 416, 429, 500, 503]) expect((await refusedAtOnce({ status })).found).toBe(`status ${status}`)
  })
  test('when it is a web page', async () => {
    for (const status of [200, 206, 404]) {
      expect((await refusedAtOnce({ status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<html>' })).found).toContain(
        'a web page',
      )
    }
  })
  test('with another ETag, another date, or another length than before', async () => {
    expect((await refusedLater({ headers: { etag: '"two"' } })).found).toContain('changed in the meantime (ETag "two")')
    expect((await refusedLater({ headers: { etag: undefined } })).found).toContain('changed in the meantime')
    expect((await refusedLater({ headers: { 'content-range': 'bytes 10-19/101' } })).found).toBe('a file of 101 bytes')
    const { fetch } = server(BYTES, (request) => ({ headers: { etag: undefined, 'last-modified': `day ${request}` } }))
    const source = await httpSource(URL_OF_FILE, { fetch })
    expect((await refusalOf(source.read(0, 1))).found).toContain('Last-Modified day 1')
  })
  test('with another range than was asked for, or none', async () => {
    for (const range of ['bytes 10-18/100', 'bytes 9-19/100', 'bytes 10-19/*', 'items 10-19/100', undefined]) {
      expect((await refusedLater({ headers: { 'content-range': range } })).expected).toBe("'bytes 10-19/length'")
    }
  })
  test('with a body that is too short or too long', async () => {
    expect((await refusedLater({ body: new Uint8Array(9) })).found).toBe('9 bytes')
    expect((await refusedLater({ body: new Uint8Array(11) })).found).toBe('more than 10 bytes')
    expect((await refusedAtOnce({ body: '' })).found).toBe('0 bytes')
  })
  test('with a body that never ends, which is cut off', async () => {
    let isCancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(4)),
      cancel: () => {
        isCancelled = true
      },
    })
    expect((await refusedLater({ body: endless })).found).toBe('more than 10 bytes')
    expect(isCancelled).toBe(true)
  })
  test('when the connection breaks, in front of the answer or in the middle of it', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(4))
      },
      pull: (controller) => controller.error(new Error('reset')),
    })
    expect((await refusedLater({ body: broken })).found).toBe('a connection that broke after 4 bytes')
    const fetch = async (): Promise<Response> => {
      throw new TypeError('redirect count exceeded')
    }
    expect((await refusalOf(httpSource(URL_OF_FILE, { fetch }))).found).toBe('no answer (redirect count exceeded)')
  })
})

test('an abort gives its reason, before and during a read', async () => {
  const reason = new Error('enough')
  await expect(httpSource(URL_OF_FILE, { fetch: server().fetch, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const controller = new AbortController()
  const { fetch } = server(BYTES, (request) => {
    if (request > 0) controller.abort(reason)
    return request === 0 ? {} : { body: new ReadableStream({ pull: (stream) => stream.error(reason) }) }
  })
  const source = await httpSource(URL_OF_FILE, { fetch })
  await expect(source.read(0, 10, { signal: controller.signal })).rejects.toBe(reason)
})
