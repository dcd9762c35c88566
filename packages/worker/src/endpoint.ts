/** A worker as the connection needs it, whatever kind it is. */
import { WorkerCrashedError } from './errors.ts'

export interface Endpoint {
  /** How long the host may take to give back what outlives a worker before it is ended all the same. */
  readonly closingMs: number
  post(message: unknown, transfer: ArrayBuffer[]): void
  /** Called once, before anything is posted. */
  listen(listeners: EndpointListeners): void
  /** The host says that it lives: from here on its end is noticed, where the platform can. */
  watch(life: string): void
  /** Whether somebody waits for the worker: a process does not end meanwhile. */
  hold(isWaitedFor: boolean): void
  terminate(): Promise<void>
}

export interface EndpointListeners {
  message(message: unknown): void
  /** The worker is gone, or has to go. */
  crash(error: WorkerCrashedError): void
}

/** @param cause  what ended it, where that is known */
export function crash(found: string, cause?: unknown): WorkerCrashedError {
  return new WorkerCrashedError(
    { found, expected: 'a worker that lives until it is disposed of' },
    cause === undefined ? undefined : { cause },
  )
}
