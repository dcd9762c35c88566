/** ONNX Runtime in Node: the native library, and the wasm library for comparison or where no native one exists. */
import { ArgumentError } from '@foretoken/tensor'
import type { Env, InferenceSessionFactory } from 'onnxruntime-common'
import { RuntimeMissingError, textOf } from '../errors.ts'
import { createRuntime, TESTED_VERSION, versionNotes } from '../ort-runtime.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import type { Runtime } from '../session.ts'
import { checkThreads } from '../threads.ts'
import { wasmRuntime } from '../wasm-runtime.ts'
import { requireWasm } from '../wasm-support.ts'
import { physicalCores } from './physical-cores.ts'

interface OrtModule {
  readonly InferenceSession: InferenceSessionFactory
  readonly env: Env
}

/**
 * The native ONNX Runtime (`onnxruntime-node`), or with `provider: 'wasm'` the wasm library.
 *
 * @throws {RuntimeMissingError} when it is not installed or its library cannot be loaded
 */
export async function loadRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { provider = 'cpu' } = options
  if (provider === 'wasm') return loadWasmRuntime(options)
  if (provider !== 'cpu') {
    throw new ArgumentError({ field: 'provider', found: JSON.stringify(provider), expected: "'cpu' or 'wasm' in Node" })
  }
  const { InferenceSession, env } = await load('onnxruntime-node', () => import('onnxruntime-node'))
  env.logLevel = 'fatal'
  const version = env.versions.node ?? TESTED_VERSION
  const { cores, logical } = await physicalCores()
  const threads = checkThreads(options.threads ?? cores)
  const notes = versionNotes('onnxruntime-node', version)
  if (threads === cores && cores < logical) notes.push(`${threads} threads on ${logical} processors: one per physical core`)
  return createRuntime({
    name: 'onnxruntime-node',
    version,
    device: { provider: 'cpu', threads, notes },
    sessions: InferenceSession,
    isNative: true,
  })
}

/**
 * ONNX Runtime compiled to wasm (`onnxruntime-web`), inside Node.
 *
 * @throws {RuntimeMissingError} when it is not installed
 */
export async function loadWasmRuntime({ threads, wasmFiles: files }: Omit<RuntimeOptions, 'provider'> = {}): Promise<Runtime> {
  requireWasm()
  const { InferenceSession, env } = await load('onnxruntime-web', () => import('onnxruntime-web'))
  return wasmRuntime({
    sessions: InferenceSession,
    env,
    provider: 'wasm',
    threads: threads ?? Math.min(4, (await physicalCores()).cores),
    notes: [],
    files,
  })
}

/** @internal The import is a parameter so that its failures can be tested. */
export async function load(name: string, importModule: () => Promise<OrtModule>): Promise<OrtModule> {
  try {
    return await importModule()
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    const found = isMissing ? `no package ${name}` : `a package ${name} that does not load (${textOf(cause)})`
    const install = `npm install ${name}@${TESTED_VERSION}`
    const expected =
      name === 'onnxruntime-node'
        ? `${name} ${TESTED_VERSION}: run \`ONNXRUNTIME_NODE_INSTALL=skip ${install}\` (the variable skips a CUDA download that the CPU does not need)`
        : `${name} ${TESTED_VERSION}: run \`${install}\``
    throw new RuntimeMissingError({ found, expected }, { cause })
  }
}
