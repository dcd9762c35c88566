/** `node:worker_threads`. */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { crash, type Endpoint } from '../endpoint.ts'
import { WorkerProtocolError } from '../errors.ts'
import type { WorkerLike } from '../host-options.ts'

/** Files of converted weights are removed by whoever wrote them. */
const CLOSING_MS = 3000

export function startWorker(make: (() => WorkerLike) | undefined): Endpoint {
  const worker = make === undefined ? new Worker(new URL('../entry.ts', import.meta.url)) : make()
  if (!(worker instanceof Worker)) {
    void worker.terminate()
    throw new WorkerProtocolError({ field: 'worker', found: 'something else', expected: 'a Worker of node:worker_threads' })
  }
  let isEnding = false
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  return {
    closingMs: CLOSING_MS,
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(listeners) {
      worker.on('message', listeners.message)
      worker.on('messageerror', (error) => listeners.crash(crash('a message that cannot be read', error)))
      worker.on('error', (error) => listeners.crash(crash(`an error that nobody caught in the worker (${messageOf(error)})`, error)))
      worker.on('exit', (code) => {
        if (!isEnding) listeners.crash(crash(`a worker that ended with code ${code}`))
      })
    },
    // the exit of a thread is always told
    watch: () => undefined,
    hold: (isWaitedFor) => (isWaitedFor ? worker.ref() : worker.unref()),
    async terminate() {
      isEnding = true
      await worker.terminate()
      await exited
    },
  }
}

export function pageAddress(address: string | URL): string {
  return String(address)
}

export function pathOfFileUrl(url: URL): string | undefined {
  return fileURLToPath(url)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
