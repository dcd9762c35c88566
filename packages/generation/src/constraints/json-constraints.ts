import type { Constraint } from './constraint.ts'
import { constraintOfGrammar } from './grammar-constraint.ts'
import { jsonSchemaGrammar } from './json-schema-grammar.ts'
import type { JsonWhitespace } from './json-text.ts'

export interface JsonConstraintOptions {
  /** Default 'flexible': what models like to write, but never so much of it that it does not end. 'none' saves tokens. */
  readonly whitespace?: JsonWhitespace
}

/**
 * An output that is JSON and valid by a schema (JSON Schema 2020-12, as Zod's `toJSONSchema` and others give it).
 *
 * Properties come in the order of the schema; those that it does not name are left out unless `additionalProperties` allows them or it names none.
 * Numbers have at most 15 digits.
 *
 * @param schema  parsed JSON
 * @throws {ConstraintError} for what is no schema, a keyword that cannot be kept, with its place, or a schema that nothing is valid by
 */
export function jsonSchemaConstraint(schema: unknown, { whitespace = 'flexible' }: JsonConstraintOptions = {}): Constraint {
  return constraintOfGrammar('JSON schema', jsonSchemaGrammar(schema, whitespace))
}

/** An output that is any JSON value, or with `onlyObjects` any object. */
export function jsonConstraint({
  whitespace = 'flexible',
  onlyObjects = false,
}: JsonConstraintOptions & { readonly onlyObjects?: boolean } = {}): Constraint {
  return constraintOfGrammar('JSON', jsonSchemaGrammar(onlyObjects ? { type: 'object' } : true, whitespace))
}
