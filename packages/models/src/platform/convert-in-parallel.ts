/**
 * Converting weights on several threads: each opens the checkpoint, builds the same graph, and writes every n-th group of tensors to its place in the
 * one file. A thread that cannot be started (a bundle without its script) or fails leaves its part to this one, which then says what is wrong.
 */

import process from 'node:process'
import { Worker } from 'node:worker_threads'
import type { ConversionJob } from '../conversion-job.ts'

/** A thread opens the checkpoint and builds the graph first, a fraction of a second: not for less. */
const BYTES_OF_A_THREAD = 256 * 2 ** 20
const MOST_THREADS = 8

export interface PartJob extends Omit<ConversionJob, 'threads'> {
  /** The file of weights, of its final length. */
  readonly file: string
  readonly totalBytes: number
  readonly index: number
  readonly of: number
}

export type PartMessage =
  | { readonly kind: 'converted'; readonly byteLength: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string }

export function threadsFor({ threads }: Pick<ConversionJob, 'threads'>, totalBytes: number): number {
  return Math.max(1, Math.min(threads, MOST_THREADS, Math.floor(totalBytes / BYTES_OF_A_THREAD)))
}

/**
 * Converts one part on a thread of its own.
 *
 * @returns whether the whole part was written
 */
export async function convertPart(
  job: PartJob,
  script: URL,
  onConverted: (byteLength: number) => void,
  signal?: AbortSignal,
): Promise<boolean> {
  if (signal?.aborted) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const abort = () => resolve(false)
  signal?.addEventListener('abort', abort)
  let worker: Worker | undefined
  let converted = 0
  try {
    worker = new Worker(script, { workerData: job, execArgv: execArgv(script) })
    worker.on('message', (message: PartMessage) => {
      if (message.kind !== 'converted') return resolve(message.kind === 'done')
      converted += message.byteLength
      onConverted(message.byteLength)
    })
    worker.on('error', () => resolve(false))
    worker.on('exit', () => resolve(false))
    const isDone = await promise
    if (!isDone) onConverted(-converted)
    return isDone
  } catch {
    return false
  } finally {
    signal?.removeEventListener('abort', abort)
    // it must not write any more when the caller goes on
    await worker?.terminate()
  }
}

/** Sources import each other by a condition that the thread has to know as well. */
function execArgv({ pathname }: URL): string[] {
  const isSource = pathname.endsWith('.ts') && !process.execArgv.some((argument) => argument.includes('foretoken-source'))
  return isSource ? [...process.execArgv, '--conditions=foretoken-source'] : process.execArgv
}
