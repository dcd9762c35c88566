/**
 * Ctrl-C. By default it aborts the command within one step; a chat takes it for the answer that is being written. The last who took it
 * is the one who gets it.
 */
export interface Interruption {
  /** Aborted when nobody else took the Ctrl-C. */
  readonly signal: AbortSignal
  /** From here on Ctrl-C calls back, until the returned function is called. */
  take(callback: () => void): () => void
  /** What the terminal calls. */
  interrupt(): void
}

/** The reason of the signal. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  override readonly message = 'interrupted'
}

export function createInterruption(): Interruption {
  const controller = new AbortController()
  const takers: (() => void)[] = []
  return {
    signal: controller.signal,
    take(callback) {
      takers.push(callback)
      return () => {
        const at = takers.lastIndexOf(callback)
        if (at >= 0) takers.splice(at, 1)
      }
    },
    interrupt() {
      const last = takers.at(-1)
      if (last === undefined) controller.abort(new InterruptedError())
      else last()
    },
  }
}
