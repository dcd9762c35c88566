/**
 * Typed access to a `config.json` as it was parsed: every read says what it expects, and a value of another kind is refused
 * with the key and the value. Nested objects are read through `object`, which keeps the path for messages.
 */
import { ConfigError } from '../errors.ts'

/** Bounds that no published model comes near; a value beyond them is a damaged or hostile file. */
const MAX_COUNT = 2 ** 31 - 1
const MAX_LAYERS = 10_000
/** Names of the number of layers. */
export const LAYER_COUNTS: readonly string[] = ['num_hidden_layers', 'num_layers', 'n_layers', 'n_layer']

export interface ConfigReader {
  readonly file: string
  has(key: string): boolean
  /** Written as null: switched off, where an absent key means the model type's default. */
  isNull(key: string): boolean
  isList(key: string): boolean
  /** A positive whole number. */
  count(key: string, fallback?: number): number
  /** A finite number above zero. */
  positive(key: string, fallback?: number): number
  /** A finite number. */
  number(key: string, fallback?: number): number
  boolean(key: string, fallback?: boolean): boolean
  string(key: string, fallback?: string): string
  /** One of the given words. */
  choice<const T extends string>(key: string, choices: readonly T[], fallback?: T): T
  numbers(key: string): readonly number[]
  strings(key: string): readonly string[] | undefined
  object(key: string): ConfigReader | undefined
  /** As it was parsed, for shapes that the other reads do not know; undefined where it is absent or null. */
  parsed(key: string): unknown
  /** A positive whole number, or undefined where the key is absent or null. */
  optionalCount(key: string): number | undefined
  optionalNumber(key: string): number | undefined
  /** Refuses the configuration on account of this key. */
  refuse(key: string, found: string, expected: string): never
}

/** @param value  the parsed JSON, of any kind */
export function configReader(value: unknown, file: string, path = ''): ConfigReader {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError({ file, ...(path === '' ? {} : { field: path }), found: describe(value), expected: 'a JSON object' })
  }
  const entries = new Map<string, unknown>(Object.entries(value))
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  // null stands for "not set" in the files that Python writes
  const get = (key: string): unknown => entries.get(key) ?? undefined

  function refuse(key: string, found: string, expected: string): never {
    throw new ConfigError({ file, field: at(key), found, expected })
  }
  function read<T>(key: string, expected: string, accept: (value: unknown) => value is T, fallback?: T): T {
    const found = get(key)
    if (found === undefined && fallback !== undefined) return fallback
    return accept(found) ? found : refuse(key, describe(found), expected)
  }
  const optional = <T>(key: string, reading: () => T): T | undefined => (get(key) === undefined ? undefined : reading())

  const reader: ConfigReader = {
    file,
    has: (key) => get(key) !== undefined,
    isList: (key) => Array.isArray(get(key)),
    isNull: (key) => entries.get(key) === null,
    count: (key, fallback) => read(key, `a whole number from 1 to ${limitOf(key)}`, (v): v is number => isCount(v, limitOf(key)), fallback),
    positive: (key, fallback) => read(key, 'a number above 0', (v): v is number => isFiniteNumber(v) && v > 0, fallback),
    number: (key, fallback) => read(key, 'a finite number', isFiniteNumber, fallback),
    boolean: (key, fallback) => read(key, 'true or false', (v): v is boolean => typeof v === 'boolean', fallback),
    string: (key, fallback) => read(key, 'a string', (v): v is string => typeof v === 'string', fallback),
    choice: (key, choices, fallback) =>
      read(key, `one of ${choices.join(', ')}`, (v): v is (typeof choices)[number] => choices.some((choice) => choice === v), fallback),
    numbers: (key) => read(key, 'a list of finite numbers', (v): v is readonly number[] => Array.isArray(v) && v.every(isFiniteNumber)),
    strings: (key) =>
      optional(key, () =>
        read(key, 'a list of strings', (v): v is readonly string[] => Array.isArray(v) && v.every((item) => typeof item === 'string')),
      ),
    parsed: get,
    object: (key) => optional(key, () => configReader(get(key), file, at(key))),
    optionalCount: (key) => optional(key, () => reader.count(key)),
    optionalNumber: (key) => optional(key, () => reader.number(key)),
    refuse,
  }
  return reader
}

function limitOf(key: string): number {
  return LAYER_COUNTS.includes(key) ? MAX_LAYERS : MAX_COUNT
}

function isCount(value: unknown, limit: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= limit
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  // JSON has neither NaN nor infinities
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
