import { TokenizerFormatError, UnsupportedTokenizerError } from './errors.ts'

/**
 * Reading parsed JSON that somebody else wrote: every access checks the kind of the value and knows its path, so that an error
 * can say `pre_tokenizer.pretokenizers[1].behavior`. Objects are only read through own keys, so `__proto__` is a key like others.
 */
export interface Fields {
  readonly path: string
  readonly values: ReadonlyMap<string, unknown>
}

/** The fields of a JSON object, or of a map in its place: readers of other formats have long vocabularies as one already. */
export function fieldsOf(value: unknown, path: string): Fields {
  if (value instanceof Map) return { path, values: value }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongKind(value, 'an object', path)
  return { path, values: new Map(Object.entries(value)) }
}

/** The fields of an object or undefined where there is none. */
export function optionalFieldsOf(value: unknown, path: string): Fields | undefined {
  return value === undefined || value === null ? undefined : fieldsOf(value, path)
}

/** Refuses fields that carry a value nobody reads: an option that is not understood would change the result silently. */
export function refuseUnknownFields(fields: Fields, known: readonly string[]): void {
  for (const [name, value] of fields.values) {
    if (known.includes(name) || value === null) continue
    throw new UnsupportedTokenizerError({ found: `the field '${name}'`, expected: `one of ${known.join(', ')}`, field: fields.path })
  }
}

export function pathOf(fields: Fields, name: string): string {
  return fields.path === '' ? name : `${fields.path}.${name}`
}

export function stringField(fields: Fields, name: string, fallback?: string): string {
  const value = fields.values.get(name) ?? fallback
  if (typeof value !== 'string') throw wrongKind(value, 'a string', pathOf(fields, name))
  return value
}

export function optionalStringField(fields: Fields, name: string): string | undefined {
  const value = fields.values.get(name)
  return value === undefined || value === null ? undefined : stringField(fields, name)
}

export function booleanField(fields: Fields, name: string, fallback?: boolean): boolean {
  const value = fields.values.get(name) ?? fallback
  if (typeof value !== 'boolean') throw wrongKind(value, 'true or false', pathOf(fields, name))
  return value
}

export function optionalBooleanField(fields: Fields, name: string): boolean | undefined {
  const value = fields.values.get(name)
  return value === undefined || value === null ? undefined : booleanField(fields, name)
}

/** A whole number of at least `least`. */
export function countField(fields: Fields, name: string, fallback?: number, least = 0): number {
  return countOf(fields.values.get(name) ?? fallback, pathOf(fields, name), least)
}

export function countOf(value: unknown, path: string, least = 0): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least)
    throw wrongKind(value, `a whole number of at least ${least}`, path)
  return value
}

export function listField(fields: Fields, name: string): readonly unknown[] {
  return listOf(fields.values.get(name), pathOf(fields, name))
}

export function listOf(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongKind(value, 'a list', path)
  return value
}

/** One of a fixed set of words. */
export function choiceField<T extends string>(fields: Fields, name: string, choices: readonly T[], fallback?: T): T {
  const value = fields.values.get(name) ?? fallback
  const choice = choices.find((word) => word === value)
  if (choice === undefined) throw wrongKind(value, `one of ${choices.join(', ')}`, pathOf(fields, name))
  return choice
}

/** A string of exactly one Unicode character. */
export function characterField(fields: Fields, name: string, fallback?: string): string {
  const value = stringField(fields, name, fallback)
  if ([...value].length !== 1) throw wrongKind(value, 'one character', pathOf(fields, name))
  return value
}

/** An error that shows the start of what was found. */
export function wrongKind(value: unknown, expected: string, field: string): TokenizerFormatError {
  return new TokenizerFormatError({ found: describeValue(value), expected, field })
}

export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
