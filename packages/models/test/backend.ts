/** Where a test runs: the project of `vitest.config.ts`, and so the runtime that `loadRuntime` gives. */
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    backend: 'node' | 'node-wasm' | 'chromium-wasm' | 'chromium-webgpu'
    servedModels: string
  }
}

export const backend = inject('backend')

/** Address of the folder of real checkpoints, in a page; empty where there is none. */
export const servedModels = inject('servedModels') ?? ''
