/** What a content security policy has forbidden: browsers tell it by an event on the document or the worker, not always to who tried. */

export interface PolicyWatch {
  /** Rejects at the first violation; never resolves. */
  readonly seen: Promise<never>
  stop(): void
}

interface Violation extends Event {
  readonly effectiveDirective?: string
  readonly blockedURI?: string
}

export function policyViolation(target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'> = globalThis): PolicyWatch {
  const { promise, reject } = Promise.withResolvers<never>()
  // whoever stops watching need not have waited for it
  promise.catch(() => {})
  const listen = (event: Violation) => {
    reject(new Error(`the content security policy's ${event.effectiveDirective} does not allow ${event.blockedURI}`))
  }
  // bubbles from the document to the window; in a worker it is on the global scope
  target.addEventListener?.('securitypolicyviolation', listen)
  return { seen: promise, stop: () => target.removeEventListener?.('securitypolicyviolation', listen) }
}
