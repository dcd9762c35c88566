/**
 * Workers of a page. A page is told of errors in a worker and not of its end, so the host holds a lock while it lives (Web Locks): whoever gets
 * that lock after it knows that the worker is gone, however it ended. Where there are no locks (a page that is not served securely), only errors
 * are noticed.
 */
import { crash, type Endpoint } from '../endpoint.ts'
import { WorkerProtocolError } from '../errors.ts'
import type { WorkerLike } from '../host-options.ts'

/** Memory, handles and locks go with the worker: nothing is lost by not waiting. */
const CLOSING_MS = 300

export function startWorker(make: (() => WorkerLike) | undefined): Endpoint {
  const worker = make === undefined ? new Worker(new URL('../entry.ts', import.meta.url), { type: 'module' }) : make()
  if (!(worker instanceof Worker)) {
    worker.terminate()
    throw new WorkerProtocolError({ field: 'worker', found: 'something else', expected: 'a Worker' })
  }
  let onEnd = (): void => undefined
  return {
    closingMs: CLOSING_MS,
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(listeners) {
      worker.addEventListener('message', ({ data }) => listeners.message(data))
      worker.addEventListener('messageerror', () => listeners.crash(crash('a message that cannot be read')))
      worker.addEventListener('error', ({ message, error }) => {
        const found =
          message === undefined || message === ''
            ? 'a worker whose script did not load'
            : `an error that nobody caught in the worker (${message})`
        listeners.crash(crash(found, error ?? undefined))
      })
      onEnd = () => listeners.crash(crash('a worker that was ended from outside'))
    },
    watch(life) {
      navigator.locks?.request(life, () => onEnd()).catch(() => undefined)
    },
    hold: () => undefined,
    async terminate() {
      onEnd = () => undefined
      worker.terminate()
    },
  }
}

/** A worker's own address is another one: what is relative is so to the page. */
export function pageAddress(address: string | URL): string {
  return new URL(address, globalThis.location.href).href
}

/** A page has no files. */
export function pathOfFileUrl(_url: URL): string | undefined {
  return undefined
}
