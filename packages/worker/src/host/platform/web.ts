/** The worker's own side of a Web Worker. */
import type { Port } from '../port.ts'

/** Undefined in a page. */
export function ownPort(): Port | undefined {
  if (!('WorkerGlobalScope' in globalThis)) return undefined
  return {
    // the global `postMessage` is typed as a window's, which takes its transfer list in options as a worker's does
    post: (message, transfer) => globalThis.postMessage(message, { transfer }),
    listen: (onMessage) => globalThis.addEventListener('message', ({ data }) => onMessage(data)),
    onUncaught: (report) => globalThis.addEventListener('unhandledrejection', ({ reason }) => report(reason)),
    async holdLife(life) {
      const { locks } = navigator
      if (locks === undefined) return
      // held until the worker ends: the callback never settles
      await new Promise<void>((resolve, reject) => {
        locks.request(life, () => new Promise(() => resolve())).catch(reject)
      }).catch(() => undefined)
    },
  }
}

const channel = new MessageChannel()
const waiting: (() => void)[] = []
channel.port1.onmessage = () => waiting.shift()?.()

/** After the messages that have arrived: the worker's own message queues up behind them. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve)
    channel.port2.postMessage(undefined)
  })
}
