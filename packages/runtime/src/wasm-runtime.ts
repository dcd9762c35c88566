/**
 * `onnxruntime-web` in a page and in Node. Threads and the places of its files are chosen once, before its first session, and a library whose
 * start has failed cannot be started again: so it is started here, where a failure can be told apart from a graph that does not open.
 */
import { ArgumentError } from '@foretoken/tensor'
import type { Env, InferenceSessionFactory } from 'onnxruntime-common'
import { RuntimeMissingError, textOf } from './errors.ts'
import { createRuntime, TESTED_VERSION, versionNotes } from './ort-runtime.ts'
import { LOG_NOTHING } from './ort-session.ts'
import { policyViolation } from './policy-violation.ts'
import type { WasmFiles } from './runtime-options.ts'
import type { Runtime } from './session.ts'
import { checkThreads } from './threads.ts'

const FILES = { wasm: 'ort-wasm-simd-threaded.wasm', webgpu: 'ort-wasm-simd-threaded.asyncify.wasm' } as const

export interface WasmLibrary {
  readonly sessions: InferenceSessionFactory
  /** The library's own. */
  readonly env: Env
  readonly provider: keyof typeof FILES
  readonly threads: number
  /** What `open` may be asked for besides; the number that the caller had wished for. */
  readonly askedThreads?: number | undefined
  readonly notes: readonly string[]
  readonly files?: WasmFiles | undefined
}

/**
 * @throws {ArgumentError} when the library was given other threads or files before
 * @throws {RuntimeMissingError} when its wasm file cannot be loaded, compiled, or started with that many threads
 */
export async function wasmRuntime(library: WasmLibrary): Promise<Runtime> {
  const { sessions, env, provider, threads, notes } = library
  checkThreads(threads)
  const chosen = env.wasm.numThreads
  if (chosen !== undefined && chosen !== threads) {
    throw new ArgumentError({ field: 'threads', found: String(threads), expected: `${chosen}, which onnxruntime-web was given before` })
  }
  const paths = library.files === undefined ? undefined : wasmPaths(library.files, FILES[provider])
  const known = env.wasm.wasmPaths
  if (started.has(env) && paths !== undefined && JSON.stringify(known) !== JSON.stringify(paths)) {
    const expected = `${known === undefined ? 'none' : JSON.stringify(known)}, as onnxruntime-web was given before`
    throw new ArgumentError({ field: 'wasmFiles', found: JSON.stringify(paths), expected })
  }
  env.logLevel = 'fatal'
  env.wasm.numThreads = threads
  if (paths !== undefined) env.wasm.wasmPaths = paths
  const start = started.get(env) ?? started.set(env, startLibrary(sessions, provider)).get(env)
  await start
  const version = env.versions.web ?? TESTED_VERSION
  return createRuntime({
    name: 'onnxruntime-web',
    version,
    device: { provider, threads, notes: [...versionNotes('onnxruntime-web', version), ...notes] },
    sessions,
    isNative: false,
    ...(library.askedThreads === undefined ? {} : { askedThreads: library.askedThreads }),
  })
}

const started = new WeakMap<Env, Promise<void>>()

/** y = x for one number, in ONNX's form; opening it loads the wasm file, starts its threads, and asks for the GPU. */
const SMALLEST_GRAPH = Uint8Array.of(
  ...[0x08, 0x08, 0x42, 0x02, 0x10, 0x11, 0x3a, 0x37], // IR version 8, operators of version 17, a graph of 55 bytes
  ...[0x0a, 0x10, 0x0a, 0x01, 0x78, 0x12, 0x01, 0x79, 0x22, 0x08, ...new TextEncoder().encode('Identity')], // a node from x to y
  ...[0x12, 0x01, 0x67], // named g
  ...[0x5a, 0x0f, 0x0a, 0x01, 0x78, 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01], // input x, float32 [1]
  ...[0x62, 0x0f, 0x0a, 0x01, 0x79, 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01], // output y
)

async function startLibrary(sessions: InferenceSessionFactory, provider: keyof typeof FILES): Promise<void> {
  const violation = policyViolation()
  try {
    // a worker that a policy forbids never answers, and the library would wait for it for ever
    const session = await Promise.race([
      sessions.create(SMALLEST_GRAPH, { ...LOG_NOTHING, executionProviders: [provider] }),
      violation.seen,
    ])
    await session.release()
  } catch (cause) {
    const expected = `${FILES[provider]} of onnxruntime-web ${TESTED_VERSION} beside its script or where wasmFiles says, and a page that may run it`
    throw new RuntimeMissingError({ found: `onnxruntime-web that does not start (${textOf(cause)})`, expected }, { cause })
  } finally {
    violation.stop()
  }
}

/** A file that is named alone keeps the script that is part of the library, so that nothing else is loaded. */
function wasmPaths(files: WasmFiles, name: string): { readonly wasm: string; readonly mjs?: string } {
  if (typeof files === 'string' || files instanceof URL) return { wasm: absolute(`${String(files).replace(/\/?$/, '/')}${name}`) }
  const { wasm, loader } = files
  return { wasm: absolute(String(wasm)), ...(loader === undefined ? {} : { mjs: absolute(String(loader)) }) }
}

/** The library takes whole URLs only; a page's own are relative to it. */
function absolute(url: string): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href
  if (!URL.canParse(url, base)) throw new ArgumentError({ field: 'wasmFiles', found: JSON.stringify(url), expected: 'a URL' })
  return new URL(url, base).href
}
