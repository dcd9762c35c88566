/** How a model is loaded in a worker. */
import type { HubAccess, LoadOptions, LoadProgress } from '@foretoken/models'
import type { RuntimeOptions } from '@foretoken/runtime'
import type { DownloadProgress } from '@foretoken/weights/hub'

/** The options of `loadCausalLM` that can cross, and those of the worker. */
export interface HostOptions extends Omit<LoadOptions, 'runtime' | 'hub' | 'onProgress' | 'signal'> {
  /** The runtime that the worker opens; the one that is installed by default. Addresses are relative to the page. */
  readonly runtime?: RuntimeOptions
  /** How a repository of the hub is reached. */
  readonly hub?: Omit<HubAccess, 'onProgress' | 'signal' | 'fetch'>
  /** Downloads and conversions, in this thread. */
  readonly onProgress?: (progress: HostedProgress) => void
  /** Ends the loading, and the worker with it. */
  readonly signal?: AbortSignal
  /**
   * Makes the worker, where the one that this package makes cannot be used: another bundler, a content security policy, a pool. It has to run
   * `@foretoken/worker/entry` as a module and belong to this model alone. Default: a module worker in a page, `worker_threads` in Node.
   */
  readonly worker?: () => WorkerLike
  /** Most pieces that the worker computes before they are asked for. Default 8; 0 computes a piece when it is asked for. */
  readonly piecesAhead?: number
}

export type HostedProgress = LoadProgress | ({ readonly phase: 'download' } & DownloadProgress)

/** A `Worker` of a page or of `node:worker_threads`. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  terminate(): unknown
}
