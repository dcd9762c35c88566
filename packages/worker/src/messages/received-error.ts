/**
 * Errors of the worker as they were there. The `code` says which class an error is of, and a new error is given that class's prototype and the fields:
 * so `instanceof`, `code`, `found`, `expected`, `where`, `cause` and what a class adds are there, and no constructor has to be known. An error of a
 * class that is not known arrives as a `RemoteError` with its code and its fields. The table of classes is loaded with the first error.
 */
import { type ErrorFacts, ForetokenError } from '@foretoken/tensor'
import type { ErrorClass } from './error-classes.ts'
import type { SentError } from './sent-error.ts'

interface ErrorClasses {
  readonly errorClasses: ReadonlyMap<string, ErrorClass>
  readonly subclasses: ReadonlyMap<string, ErrorClass>
}

const builtInErrors: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>(
  [AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((known) => [known.name, known]),
)

/** An error from the worker whose class this side does not know. */
class RemoteError extends ForetokenError {
  readonly code: string = 'remote'

  constructor(facts: ErrorFacts, code: string) {
    super(facts)
    this.code = code
  }
}

/** The error as it was thrown on the other side. */
export async function receiveError(sent: SentError): Promise<unknown> {
  const classes = await import('./error-classes.ts').catch(() => undefined)
  return restored(sent, classes)
}

function restored(sent: SentError, classes: ErrorClasses | undefined): unknown {
  if (sent.kind === 'value') return sent.value
  if (sent.kind === 'exception') return new DOMException(sent.message, sent.name)
  const { message, stack, fields, cause } = sent
  const error = new Error(message, cause === undefined ? undefined : { cause: restored(cause, classes) })
  const known = classes?.subclasses.get(sent.name) ?? classes?.errorClasses.get(String(fields.code)) ?? builtInErrors.get(sent.name)
  const isOurs = typeof fields.code === 'string' && typeof fields.found === 'string'
  const prototype: object | undefined = known?.prototype ?? (isOurs ? RemoteError.prototype : undefined)
  if (prototype !== undefined) Object.setPrototypeOf(error, prototype)
  for (const [key, value] of Object.entries(fields)) Object.defineProperty(error, key, { value, enumerable: true, writable: true })
  const name = known?.name ?? sent.name
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, enumerable: isOurs, configurable: true, writable: true })
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
  return error
}
