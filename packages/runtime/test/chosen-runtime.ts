/**
 * `@foretoken/runtime` as packages see it in tests outside of the `node` project: the same, but `loadRuntime` without a choice gives the
 * runtime that the project stands for, with two threads.
 */
import { loadRuntime as loadDefault, loadWasmRuntime, type Runtime, type RuntimeOptions } from '../src/index.ts'
import { backend } from './backend.ts'

export * from '../src/index.ts'

export async function loadRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const chosen: RuntimeOptions = { threads: 2, ...options }
  if (backend === 'node-wasm') return await loadWasmRuntime(chosen)
  return await loadDefault({ provider: backend === 'chromium-webgpu' ? 'webgpu' : 'wasm', ...chosen })
}
