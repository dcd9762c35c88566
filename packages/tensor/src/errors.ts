/** Where a problem was found: whichever of these are known. */
export interface ErrorPlace {
  readonly file?: string
  readonly tensor?: string
  /** Byte offset in the file. */
  readonly offset?: number
  /** Name of an operator, a field, a key or an option. */
  readonly field?: string
}

export interface ErrorFacts extends ErrorPlace {
  readonly found: string
  readonly expected: string
}

/**
 * The base of every error that Foretoken throws on purpose: what was found, what was expected, and where.
 * Recognise errors by `code` rather than by `instanceof`: two copies of a package may be installed.
 */
export abstract class ForetokenError extends Error {
  abstract readonly code: string
  readonly found: string
  readonly expected: string
  readonly where: ErrorPlace

  constructor({ found, expected, ...where }: ErrorFacts, options?: ErrorOptions) {
    super(`${describePlace(where)}found ${found}, expected ${expected}`, options)
    this.name = new.target.name
    this.found = found
    this.expected = expected
    this.where = where
  }
}

/** Dimensions that contradict each other, the data, or the operation. */
export class ShapeError extends ForetokenError {
  readonly code = 'shape'
}

/** An element type that does not fit the data or the operation. */
export class DTypeError extends ForetokenError {
  readonly code = 'dtype'
}

/** An argument outside the range that its documentation gives. */
export class ArgumentError extends ForetokenError {
  readonly code = 'argument'
}

/** An object was used after it had been disposed of. */
export class DisposedError extends ForetokenError {
  readonly code = 'disposed'
}

function describePlace({ file, tensor, offset, field }: ErrorPlace): string {
  const parts = [file, tensor, field, offset === undefined ? undefined : `byte ${offset}`]
  const known = parts.filter((part) => part !== undefined)
  return known.length === 0 ? '' : `${known.join(', ')}: `
}
