import { describe, expect, test } from 'vitest'
import { loadRuntime, type RuntimeOptions } from '../../src/index.ts'
import { graphWithWeights } from '../graph-with-weights.ts'

/** In a variable, or the server of the tests would take the path for an import. */
const HERE = import.meta.url
const program = new URL('frame-program.ts', HERE).href

interface Frame {
  readonly policy?: string
  /** Of the frame: `cross-origin-isolated 'none'` takes away the memory that threads share. */
  readonly allow?: string
  readonly options?: RuntimeOptions
}

/** Loads a runtime and runs a graph in a document with this policy. */
async function inFrame({ policy, allow, options = {} }: Frame): Promise<unknown> {
  const frame = document.createElement('iframe')
  if (allow !== undefined) frame.allow = allow
  frame.dataset.options = JSON.stringify(options)
  const query = new URLSearchParams({ program, ...(policy === undefined ? {} : { policy }) })
  frame.src = `/frame?${query}`
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const listen = (event: MessageEvent) => {
    if (event.source === frame.contentWindow) resolve(event.data)
  }
  globalThis.addEventListener('message', listen)
  document.body.append(frame)
  try {
    return await promise
  } finally {
    globalThis.removeEventListener('message', listen)
    frame.remove()
  }
}

describe('threads', () => {
  test('an isolated page has several, where there are several processors', async () => {
    expect(globalThis.crossOriginIsolated).toBe(true)
    const expected = Math.min(4, Math.max(Math.min(2, navigator.hardwareConcurrency), Math.floor(navigator.hardwareConcurrency / 2)))
    expect(await inFrame({})).toMatchObject({ doubled: 42, device: { provider: 'wasm', threads: expected, notes: [] } })
  })

  test('a page that is not isolated has one, and its notes say why', async () => {
    const found = await inFrame({ allow: "cross-origin-isolated 'none'", options: { threads: 4 } })
    expect(found).toMatchObject({
      doubled: 42,
      device: { threads: 1, notes: [expect.stringMatching(/1 thread instead of 4: .*not cross-origin isolated/)] },
    })
  })
})

describe('a content security policy', () => {
  const strict = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"

  test('that allows scripts, workers and wasm of the same origin is enough, without blob: URLs', async () => {
    expect(await inFrame({ policy: strict, options: { threads: 2 } })).toMatchObject({
      doubled: 42,
      device: { threads: 2 },
      workers: ['http:'],
    })
  })

  test('that forbids wasm is named in the error', async () => {
    const found = await inFrame({ policy: strict.replace(" 'wasm-unsafe-eval'", ''), options: { threads: 1 } })
    expect(found).toMatchObject({
      code: 'runtime-missing',
      message: expect.stringMatching(/content security policy|Content Security Policy/i),
    })
  })

  test('that forbids workers is named in the error instead of waiting for them for ever, and one thread does without', async () => {
    const policy = strict.replace("worker-src 'self'", "worker-src 'none'")
    const found = await inFrame({ policy, options: { threads: 2 } })
    expect(found).toMatchObject({ code: 'runtime-missing', message: expect.stringContaining('worker-src') })
    expect(await inFrame({ policy, options: { threads: 1 } })).toMatchObject({ doubled: 42, workers: [] })
  })
})

describe('the files of the library', () => {
  test('are found beside its script, or where the user says', async () => {
    const wasmFile = Object.entries((await inFrame({})) ?? {}).find(([key]) => key === 'wasmFile')?.[1]
    expect(wasmFile).toMatch(/ort-wasm-simd-threaded\.wasm/)
    const folder = String(wasmFile).replace(/[^/]*$/, '')
    const inFolder = { doubled: 42, wasmFile: `${folder}ort-wasm-simd-threaded.wasm` }
    expect(await inFrame({ options: { wasmFiles: folder } })).toMatchObject(inFolder)
    expect(await inFrame({ options: { wasmFiles: folder.replace(/\/$/, '') } })).toMatchObject(inFolder)
    const mine = `${wasmFile}?mine`
    expect(await inFrame({ options: { wasmFiles: { wasm: mine } } })).toMatchObject({ doubled: 42, wasmFile: mine })
  })

  test('that are not there are named in the error', async () => {
    const found = await inFrame({ options: { wasmFiles: '/nowhere/', threads: 1 } })
    expect(found).toMatchObject({
      code: 'runtime-missing',
      message: expect.stringMatching(/does not start.*ort-wasm-simd-threaded\.wasm/s),
    })
  })

  test('that are no URL are refused', async () => {
    expect(await inFrame({ options: { wasmFiles: 'http://[' } })).toMatchObject({ code: 'argument' })
  })
})

test.each(['cpu', 'webgl'])('%s is no provider of a page', async (provider) => {
  const options: RuntimeOptions = JSON.parse(JSON.stringify({ provider }))
  await expect(loadRuntime(options)).rejects.toMatchObject({ code: 'argument' })
})

test('WebGPU without a GPU is refused with the reason', async () => {
  await expect(loadRuntime({ provider: 'webgpu' })).rejects.toMatchObject({ code: 'unsupported-device' })
})

test('sessions of 5 GB in all, opened and closed one after another, fit into a heap that ends at 4 GB', async () => {
  const runtime = await loadRuntime({ provider: 'wasm', threads: 2 })
  const data = new Uint8Array(200 * 2 ** 20)
  for (let round = 0; round < 25; round++) {
    const bytes = graphWithWeights('weights.bin', data.byteLength / 4)
    await using session = await runtime.open({ kind: 'bytes', bytes, externalData: [{ path: 'weights.bin', data }] })
    expect(session.inputs).toHaveLength(1)
  }
}, 120_000)
