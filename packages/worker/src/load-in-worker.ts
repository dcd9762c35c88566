import { ArgumentError } from '@foretoken/tensor'
import { pageAddress, startWorker } from '#platform'
import { Connection } from './connection.ts'
import { crash } from './endpoint.ts'
import { WorkerProtocolError } from './errors.ts'
import type { HostOptions } from './host-options.ts'
import type { HostedModel } from './hosted-model.ts'
import { requirePlainData } from './messages/plain-data.ts'
import type { Progress, SentHostOptions } from './messages/protocol.ts'
import type { ModelSource } from './model-source.ts'
import { RemoteModel } from './remote-model.ts'
import { sendSource } from './send-source.ts'

const MOST_AHEAD = 1024

/**
 * Loads a model in a worker of its own.
 *
 * @returns the model; dispose of it to end the worker, which gives all of its memory back
 * @throws {UnsendableError} for a source or an option that cannot be sent
 * @throws {WorkerCrashedError} when the worker cannot be started, or ends while it loads
 * @throws {WorkerProtocolError} when the worker runs something else than `@foretoken/worker/entry` of this version
 * @throws what `loadCausalLM` throws, as the same classes with the same fields
 */
export async function loadInWorker(source: ModelSource, options: HostOptions = {}): Promise<HostedModel> {
  const { worker, piecesAhead = 8, onProgress, signal, ...rest } = options
  if (!Number.isSafeInteger(piecesAhead) || piecesAhead < 0 || piecesAhead > MOST_AHEAD) {
    throw new ArgumentError({ field: 'piecesAhead', found: String(piecesAhead), expected: `a whole number from 0 to ${MOST_AHEAD}` })
  }
  const sentOptions = sendOptions(rest)
  const sent = sendSource(source)
  signal?.throwIfAborted()
  const connection = new Connection(startEndpoint(worker))
  try {
    await untilAborted(connection.greet(), signal)
    const loading = connection.call(
      { name: 'load', source: sent.source, options: sentOptions },
      {
        transfer: sent.transfer,
        onProgress: (progress) => {
          if (isLoadProgress(progress)) onProgress?.(progress)
        },
      },
    )
    const facts = await untilAborted(loading, signal)
    return new RemoteModel(connection, facts, piecesAhead)
  } catch (error) {
    await connection.dispose()
    throw error
  }
}

function startEndpoint(worker: HostOptions['worker']) {
  try {
    return startWorker(worker)
  } catch (cause) {
    if (cause instanceof WorkerProtocolError) throw cause
    throw crash(`a worker that cannot be started (${cause instanceof Error ? cause.message : String(cause)})`, cause)
  }
}

/** Addresses mean the same on both sides, and are texts: a `URL` cannot be sent. */
function sendOptions({ runtime, ...options }: Omit<HostOptions, 'worker' | 'piecesAhead' | 'onProgress' | 'signal'>): SentHostOptions {
  const sent = runtime === undefined ? options : { ...options, runtime: { ...runtime, ...sendWasmFiles(runtime.wasmFiles) } }
  requirePlainData(sent, 'options')
  return sent
}

function sendWasmFiles(files: NonNullable<HostOptions['runtime']>['wasmFiles']): Pick<NonNullable<HostOptions['runtime']>, 'wasmFiles'> {
  if (files === undefined) return {}
  if (typeof files === 'string' || files instanceof URL) return { wasmFiles: pageAddress(files) }
  const { wasm, loader } = files
  return { wasmFiles: { wasm: pageAddress(wasm), ...(loader === undefined ? {} : { loader: pageAddress(loader) }) } }
}

function isLoadProgress(progress: Progress): progress is Extract<Progress, { phase: string }> {
  return 'phase' in progress
}

/** Whoever converts weights does not read messages: an abort ends the waiting, and the caller the worker. */
async function untilAborted<Result>(waiting: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return waiting
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    const result = await Promise.race([waiting, aborted.promise])
    signal.throwIfAborted()
    return result
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
