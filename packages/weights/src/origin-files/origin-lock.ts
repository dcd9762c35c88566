/** One tab or worker at a time, by the Web Locks of the origin: a lock ends with its tab, so none is ever stale. */

export interface OriginLock extends AsyncDisposable {
  /** Fires when the lock was taken away by force. */
  readonly lost: AbortSignal
}

export interface OriginLockOptions {
  readonly signal?: AbortSignal | undefined
  /** Called from time to time while somebody else has the lock. */
  readonly onWait?: (() => void) | undefined
  /** Milliseconds between two calls of `onWait`. Default 100. */
  readonly pollMs?: number
}

/** @throws the reason of `signal` when it fires while waiting */
export async function takeOriginLock(name: string, { signal, onWait, pollMs = 100 }: OriginLockOptions = {}): Promise<OriginLock> {
  signal?.throwIfAborted()
  const granted = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const lost = new AbortController()
  const timer = onWait && setInterval(onWait, pollMs)
  const ended = navigator.locks
    .request(name, signal === undefined ? {} : { signal }, () => {
      granted.resolve()
      return held.promise
    })
    .catch((error: unknown) => {
      granted.reject(error)
      lost.abort(error)
    })
  try {
    await granted.promise
  } finally {
    clearInterval(timer)
  }
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      held.resolve()
      await ended
    },
  }
}
