/** Errors as plain data. The copy that a runtime makes of an error loses its class and its fields, so they are sent by hand (`received-error.ts` is the other end). */

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
