/** The way to the other side, from inside the worker. */
export interface Port {
  post(message: unknown, transfer: ArrayBuffer[]): void
  listen(onMessage: (message: unknown) => void): void
  /** Errors that nobody catches, where these do not end the worker by themselves. */
  onUncaught(report: (error: unknown) => void): void
  /** Holds the lock of this name as long as the worker lives, where there are locks. */
  holdLife(life: string): Promise<void>
}
