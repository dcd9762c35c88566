/**
 * Errors as plain data. The copy that a runtime makes of an error loses its class and its fields, so they are sent by hand: the `code` says which
 * class it is, and the other side gives the new error that class's prototype and its fields. So `instanceof`, `code`, `found`, `expected`,
 * `where`, `cause` and what a class adds are there, and no constructor has to be known. An error of a class that is not known arrives as a
 * `RemoteError` with its code and its fields.
 */
import { type ErrorFacts, ForetokenError } from '@foretoken/tensor'
import { builtInErrors, errorClasses, subclasses } from './error-classes.ts'

export type SentError =
  | {
      readonly kind: 'error'
      readonly name: string
      readonly message: string
      readonly stack?: string
      /** Own fields that are plain data, `code` among them. */
      readonly fields: Readonly<Record<string, unknown>>
      readonly cause?: SentError
    }
  /** A `DOMException`, of an aborted signal for one. */
  | { readonly kind: 'exception'; readonly name: string; readonly message: string }
  /** Something else was thrown. */
  | { readonly kind: 'value'; readonly value: unknown }

/** An error from the worker whose class this side does not know. */
class RemoteError extends ForetokenError {
  readonly code: string = 'remote'

  constructor(facts: ErrorFacts, code: string) {
    super(facts)
    this.code = code
  }
}

/** Deeper causes are left out. */
const MOST_CAUSES = 8

export function sendError(error: unknown, causes = MOST_CAUSES): SentError {
  if (error instanceof DOMException) return { kind: 'exception', name: error.name, message: error.message }
  if (!(error instanceof Error)) return { kind: 'value', value: copyOf(error) ?? String(error) }
  const { name, message, stack, cause, ...own } = error
  const fields = Object.fromEntries(Object.entries(own).flatMap(([key, value]) => (isCopied(value) ? [[key, value]] : [])))
  return {
    kind: 'error',
    name: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    fields,
    ...(error.cause === undefined || causes === 0 ? {} : { cause: sendError(error.cause, causes - 1) }),
  }
}

/** The error as it was thrown on the other side. */
export function receiveError(sent: SentError): unknown {
  if (sent.kind === 'value') return sent.value
  if (sent.kind === 'exception') return new DOMException(sent.message, sent.name)
  const { message, stack, fields, cause } = sent
  const error = new Error(message, cause === undefined ? undefined : { cause: receiveError(cause) })
  const known = subclasses.get(sent.name) ?? errorClasses.get(String(fields.code)) ?? builtInErrors.get(sent.name)
  const isOurs = typeof fields.code === 'string' && typeof fields.found === 'string'
  const prototype: object | undefined = known?.prototype ?? (isOurs ? RemoteError.prototype : undefined)
  if (prototype !== undefined) Object.setPrototypeOf(error, prototype)
  for (const [key, value] of Object.entries(fields)) Object.defineProperty(error, key, { value, enumerable: true, writable: true })
  const name = known?.name ?? sent.name
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, enumerable: isOurs, configurable: true, writable: true })
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
  return error
}

function isCopied(value: unknown): boolean {
  return copyOf(value) !== undefined
}

function copyOf(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return undefined
  }
}
