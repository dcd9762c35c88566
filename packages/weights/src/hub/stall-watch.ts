/**
 * A signal that fires when nothing has been heard for too long. A connection can stay open for ever without a byte, after a laptop
 * has slept for example; only a clock notices.
 */
import { HubNetworkError } from './errors.ts'

export interface StallWatch extends Disposable {
  /** Fires when the caller's signal fires, or when `heard` was not called in time. */
  readonly signal: AbortSignal
  heard(): void
}

/**
 * @param url     for the message
 * @param caller  the user's signal, if there is one
 */
export function watchForStall(url: string, timeoutMs: number, caller: AbortSignal | undefined): StallWatch {
  const controller = new AbortController()
  const stalled = () =>
    controller.abort(
      new HubNetworkError({
        url,
        found: `no byte for ${Math.round(timeoutMs / 1000)} s`,
        expected: 'an answer',
        advice: 'Check the connection; what has arrived is kept',
        isTemporary: true,
      }),
    )
  let timer = setTimeout(stalled, timeoutMs)
  return {
    signal: caller === undefined ? controller.signal : AbortSignal.any([caller, controller.signal]),
    heard() {
      clearTimeout(timer)
      timer = setTimeout(stalled, timeoutMs)
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
    },
  }
}
