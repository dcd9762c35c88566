/** ONNX Runtime in a page or a web worker: the wasm library. */
import { RuntimeMissingError, textOf } from '../errors.ts'
import { TESTED_VERSION } from '../ort-runtime.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import type { Runtime } from '../session.ts'
import { wasmRuntime } from '../wasm-runtime.ts'

/**
 * ONNX Runtime compiled to wasm (`onnxruntime-web`).
 *
 * @throws {RuntimeMissingError} when it is not part of the page
 */
export async function loadRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { InferenceSession, env } = await import('onnxruntime-web/wasm').catch((cause: unknown) => {
    const expected = `onnxruntime-web ${TESTED_VERSION}: run \`npm install onnxruntime-web@${TESTED_VERSION}\``
    throw new RuntimeMissingError({ found: `no onnxruntime-web that loads (${textOf(cause)})`, expected }, { cause })
  })
  const processors = navigator.hardwareConcurrency
  const threads = globalThis.crossOriginIsolated ? Math.min(4, Math.max(1, Math.floor(processors / 2))) : 1
  const notes = globalThis.crossOriginIsolated ? [] : ['1 thread: the page is not cross-origin isolated (COOP and COEP headers)']
  return wasmRuntime(InferenceSession, env, options.threads ?? threads, notes)
}

/** The same: a page has no other runtime yet. */
export const loadWasmRuntime: typeof loadRuntime = loadRuntime
