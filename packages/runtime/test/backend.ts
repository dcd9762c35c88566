/** Where a test runs: the project of `vitest.config.ts`, and so the runtime that `loadRuntime` gives. */
import type { ProvidedContext } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    backend: 'node' | 'node-wasm' | 'chromium-wasm' | 'chromium-webgpu'
  }
}

/** A worker that a test starts in a page has no test to ask. */
const isWorker = 'WorkerGlobalScope' in globalThis

export const backend: ProvidedContext['backend'] = isWorker ? 'chromium-wasm' : (await import('vitest')).inject('backend')
