/** What runs in the frames of `web.browser.test.ts`: a document of its own has a library of its own, which starts with the frame's options and policy. */
import { loadRuntime } from '../../src/index.ts'
import { elementFeeds, fixture } from '../fixture.ts'

// dynamic imports go through the runner of the tests, which a frame has not
Object.assign(globalThis, { __vitest_browser_runner__: { wrapDynamicImport: (load: () => unknown) => load() } })

const options = globalThis.frameElement?.getAttribute('data-options') ?? '{}'
const workers: string[] = []
const NativeWorker = globalThis.Worker
globalThis.Worker = class extends NativeWorker {
  constructor(url: string | URL, choice?: WorkerOptions) {
    super(url, choice)
    workers.push(new URL(url).protocol)
  }
}

async function answer(): Promise<unknown> {
  try {
    const runtime = await loadRuntime(JSON.parse(options))
    await using session = await runtime.open({ kind: 'bytes', bytes: await fixture('elements.onnx') })
    const result = await session.run(elementFeeds(), ['int_doubled'])
    const wasmFile = performance.getEntriesByType('resource').find(({ name }) => name.includes('threaded.wasm'))?.name
    return { device: runtime.device, doubled: result.get('int_doubled')?.data[0], workers, wasmFile }
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? error.code : undefined, message: String(error) }
  }
}
globalThis.parent.postMessage(await answer(), '*')
