/** The worker's own side of `node:worker_threads`. */
import { parentPort } from 'node:worker_threads'
import type { Port } from '../port.ts'

/** Undefined in a main thread. */
export function ownPort(): Port | undefined {
  const port = parentPort
  if (port === null) return undefined
  return {
    post: (message, transfer) => port.postMessage(message, transfer),
    listen: (onMessage) => port.on('message', onMessage),
    // an error that nobody catches ends the thread, and the other side is told
    onUncaught: () => undefined,
    holdLife: () => Promise.resolve(),
  }
}

/** After the messages that have arrived: immediates run when the queue of events has been read. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
