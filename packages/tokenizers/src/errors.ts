/** Where a problem was found: whichever of these are known. */
export interface TokenizerErrorPlace {
  readonly file?: string
  /** Path of a field in the file, e.g. `model.merges[3]`, or the name of an option. */
  readonly field?: string
  /** Position in a text or a pattern, in UTF-16 code units. */
  readonly offset?: number
}

export interface TokenizerErrorFacts extends TokenizerErrorPlace {
  readonly found: string
  readonly expected: string
}

/**
 * The base of every error that this package throws on purpose: what was found, what was expected, and where.
 * Recognise errors by `code` rather than by `instanceof`: two copies of a package may be installed.
 */
export abstract class TokenizerError extends Error {
  abstract readonly code: string
  readonly found: string
  readonly expected: string
  readonly where: TokenizerErrorPlace

  constructor({ found, expected, ...where }: TokenizerErrorFacts, options?: ErrorOptions) {
    super(`${describePlace(where)}found ${found}, expected ${expected}`, options)
    this.name = new.target.name
    this.found = found
    this.expected = expected
    this.where = where
  }
}

/** A tokenizer file contradicts itself or its format. */
export class TokenizerFormatError extends TokenizerError {
  readonly code = 'tokenizer-format'
}

/** A tokenizer file is well formed but asks for something that this package does not do. */
export class UnsupportedTokenizerError extends TokenizerError {
  readonly code = 'tokenizer-unsupported'
}

/** A regular expression of a tokenizer file is malformed or uses a construct that this package does not know. */
export class PatternError extends TokenizerError {
  readonly code = 'tokenizer-pattern'
}

/** An argument outside the range that its documentation gives, or a text that the vocabulary cannot express. */
export class TokenizerInputError extends TokenizerError {
  readonly code = 'tokenizer-input'
}

function describePlace({ file, field, offset }: TokenizerErrorPlace): string {
  const parts = [file, field, offset === undefined ? undefined : `position ${offset}`]
  const known = parts.filter((part) => part !== undefined)
  return known.length === 0 ? '' : `${known.join(', ')}: `
}
