/** ONNX Runtime in a page or a web worker: the wasm library, or the one that adds WebGPU to it. */
import { ArgumentError } from '@foretoken/tensor'
import type { Env, InferenceSessionFactory } from 'onnxruntime-common'
import { RuntimeMissingError, textOf } from '../errors.ts'
import { TESTED_VERSION } from '../ort-runtime.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import type { Runtime } from '../session.ts'
import { checkThreads } from '../threads.ts'
import { wasmRuntime } from '../wasm-runtime.ts'
import { requireWasm, wasmThreads } from '../wasm-support.ts'
import { describeGpu } from '../web-gpu.ts'

interface OrtModule {
  readonly InferenceSession: InferenceSessionFactory
  readonly env: Env
}

/**
 * ONNX Runtime compiled to wasm (`onnxruntime-web`). `provider: 'webgpu'` loads another, larger build of it that also computes on the GPU.
 *
 * @throws {RuntimeMissingError} when it is not part of the page, its wasm file cannot be loaded, or the page may not run it
 * @throws {UnsupportedDeviceError} when the browser's wasm has no vector instructions, or WebGPU is asked for and there is none
 */
export async function loadRuntime({ provider = 'wasm', threads: asked, wasmFiles: files }: RuntimeOptions = {}): Promise<Runtime> {
  if (provider !== 'wasm' && provider !== 'webgpu') {
    throw new ArgumentError({ field: 'provider', found: JSON.stringify(provider), expected: "'wasm' or 'webgpu' in a page" })
  }
  if (asked !== undefined) checkThreads(asked)
  requireWasm()
  const gpuNotes = provider === 'webgpu' ? await describeGpu(navigator.gpu, globalThis.isSecureContext) : []
  const { threads, notes } = wasmThreads(asked, globalThis.crossOriginIsolated, navigator.hardwareConcurrency)
  const { InferenceSession, env } = await load(() =>
    provider === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'),
  )
  return wasmRuntime({
    sessions: InferenceSession,
    env,
    provider,
    threads,
    askedThreads: asked,
    notes: [...gpuNotes, ...notes],
    files,
  })
}

/** The same with wasm. */
export function loadWasmRuntime(options: Omit<RuntimeOptions, 'provider'> = {}): Promise<Runtime> {
  return loadRuntime({ ...options, provider: 'wasm' })
}

async function load(importModule: () => Promise<OrtModule>): Promise<OrtModule> {
  try {
    return await importModule()
  } catch (cause) {
    const expected = `onnxruntime-web ${TESTED_VERSION}: run \`npm install onnxruntime-web@${TESTED_VERSION}\``
    throw new RuntimeMissingError({ found: `no onnxruntime-web that loads (${textOf(cause)})`, expected }, { cause })
  }
}
