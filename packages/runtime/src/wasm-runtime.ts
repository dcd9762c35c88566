/** What is the same about `onnxruntime-web` in a page and in Node: its threads are chosen once, before its first session. */
import { ArgumentError } from '@foretoken/tensor'
import type { Env, InferenceSessionFactory } from 'onnxruntime-common'
import { createRuntime, TESTED_VERSION, versionNotes } from './ort-runtime.ts'
import type { Runtime } from './session.ts'
import { checkThreads } from './threads.ts'

/** @throws {ArgumentError} when the library was given another number of threads before */
export function wasmRuntime(sessions: InferenceSessionFactory, env: Env, threads: number, notes: readonly string[]): Runtime {
  checkThreads(threads)
  const chosen = env.wasm.numThreads
  if (chosen !== undefined && chosen !== threads) {
    throw new ArgumentError({ field: 'threads', found: String(threads), expected: `${chosen}, which onnxruntime-web was given before` })
  }
  env.logLevel = 'fatal'
  env.wasm.numThreads = threads
  const version = env.versions.web ?? TESTED_VERSION
  return createRuntime({
    name: 'onnxruntime-web',
    version,
    device: { provider: 'wasm', threads, notes: [...versionNotes('onnxruntime-web', version), ...notes] },
    sessions,
    isNative: false,
  })
}
