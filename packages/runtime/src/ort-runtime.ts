/** Opening sessions: the options, in ONNX Runtime's words, and every failure as one error that names the graph. */
import { ArgumentError } from '@foretoken/tensor'
import type { InferenceSession, InferenceSessionFactory } from 'onnxruntime-common'
import { SessionError, textOf } from './errors.ts'
import { LOG_NOTHING, OrtSession } from './ort-session.ts'
import type { DeviceInfo, GraphSource, Runtime, Session, SessionOptions } from './session.ts'
import { checkThreads } from './threads.ts'

/**
 * Where the native library looks for the external data of a graph that comes as bytes, unless they are given in memory. Its default
 * is the working directory, and a graph from somewhere should not choose files there.
 */
const EXTERNAL_FOLDER = 'session.model_external_initializers_file_folder_path'
const NO_FOLDER = '/no folder for the external data of a graph in memory'

/** The version of `onnxruntime-*` that the tests run with, and that the peer dependencies name. */
export const TESTED_VERSION = '1.30.0'

/** One loaded library. */
export interface OrtLibrary {
  readonly name: Runtime['name']
  readonly version: string
  readonly device: DeviceInfo
  readonly sessions: InferenceSessionFactory
  /** Whether a session may have another number of threads than the library, and read graphs from files. */
  readonly isNative: boolean
  /** A number that the caller of a wasm library had asked for and that it could not have; sessions may name it. */
  readonly askedThreads?: number
}

export function createRuntime({ name, version, device, sessions, isNative, askedThreads }: OrtLibrary): Runtime {
  return {
    name,
    version,
    device,
    async open(source: GraphSource, options: SessionOptions = {}): Promise<Session> {
      const { signal, threads = device.threads, config = {} } = options
      const graph = options.name ?? (source.kind === 'file' ? source.path : 'graph')
      signal?.throwIfAborted()
      checkThreads(threads, graph)
      if (!isNative && threads !== device.threads && threads !== askedThreads) {
        const expected = `${device.threads}: onnxruntime-web has one set of threads, chosen when it is loaded`
        throw new ArgumentError({ file: graph, field: 'threads', found: String(threads), expected })
      }
      for (const [key, value] of Object.entries(config)) {
        if (typeof value !== 'string') {
          throw new ArgumentError({ file: graph, field: `config['${key}']`, found: `a ${typeof value}`, expected: 'a string' })
        }
      }
      const native: InferenceSession.SessionOptions = {
        ...LOG_NOTHING,
        executionProviders: [device.provider],
        graphOptimizationLevel: options.graphOptimizationLevel ?? 'all',
        executionMode: options.executionMode ?? 'sequential',
        // A copy, because the wasm library writes into it. Keys are whole: nested objects would be joined with dots.
        extra: source.kind === 'bytes' && isNative ? { [EXTERNAL_FOLDER]: NO_FOLDER, ...config } : { ...config },
      }
      if (isNative) {
        native.intraOpNumThreads = threads
        native.enableCpuMemArena = options.keepsBuffers ?? false
      }
      if (source.kind === 'bytes' && source.externalData !== undefined) native.externalData = [...source.externalData]
      const session = await create(graph, sessions, source, native, isNative)
      try {
        signal?.throwIfAborted()
        return new OrtSession(graph, session)
      } catch (reason) {
        await session.release()
        throw reason
      }
    },
  }
}

async function create(
  graph: string,
  sessions: InferenceSessionFactory,
  source: GraphSource,
  options: InferenceSession.SessionOptions,
  isNative: boolean,
): Promise<InferenceSession> {
  if (source.kind === 'file' && !isNative) {
    throw new ArgumentError({ file: graph, field: 'source', found: 'a file path', expected: 'bytes: onnxruntime-web reads no files' })
  }
  try {
    return await (source.kind === 'file' ? sessions.create(source.path, options) : sessions.create(source.bytes, options))
  } catch (cause) {
    throw new SessionError({ file: graph, field: 'open', found: textOf(cause), expected: 'a graph that ONNX Runtime opens' }, { cause })
  }
}

/** What there is to say about a version other than the tested one. */
export function versionNotes(name: string, version: string): string[] {
  return version === TESTED_VERSION ? [] : [`${name} ${version} is installed; tested with ${TESTED_VERSION}`]
}
