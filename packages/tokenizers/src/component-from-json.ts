import { UnsupportedTokenizerError } from './errors.ts'
import { type Fields, fieldsOf, pathOf, refuseUnknownFields, stringField } from './json-fields.ts'

/** How one type of component is read: the fields that it may have besides `type`, and what they make. */
export interface ComponentReader<T> {
  readonly fields: readonly string[]
  readonly read: (fields: Fields) => T
}

/** Sequences of sequences are legal; a file that nests them without end must not exhaust the stack. */
const MAX_DEPTH = 50

/**
 * Reads an object whose `type` says what it is.
 *
 * @throws {UnsupportedTokenizerError} a type or a field that is not known, naming those that are
 */
export function componentFromJson<T>(json: unknown, path: string, stage: string, readers: ReadonlyMap<string, ComponentReader<T>>): T {
  const depth = path.split('[').length - 1
  if (depth > MAX_DEPTH)
    throw new UnsupportedTokenizerError({
      found: `a ${stage} nested ${depth} deep`,
      expected: `at most ${MAX_DEPTH}`,
      field: path.slice(0, 80),
    })
  const fields = fieldsOf(json, path)
  const type = stringField(fields, 'type')
  const reader = readers.get(type)
  if (reader === undefined)
    throw new UnsupportedTokenizerError({
      found: `the ${stage} ${JSON.stringify(type)}`,
      expected: `one of ${[...readers.keys()].join(', ')}`,
      field: pathOf(fields, 'type'),
    })
  refuseUnknownFields(fields, ['type', ...reader.fields])
  return reader.read(fields)
}
