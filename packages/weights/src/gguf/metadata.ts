import type { MetadataValue } from '../weight-store.ts'
import type { HeaderCursor } from './header-cursor.ts'

export const MAX_METADATA_ENTRIES = 100_000
const MAX_KEY_BYTES = 65_535
const MAX_ARRAY_LENGTH = 10_000_000
const MAX_ARRAY_DEPTH = 4

/** Numbers of the value types in the file, and the least bytes that a value of each takes. */
export const VALUE_TYPES = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const

const LEAST_BYTES: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8]

/** The least that an entry takes: a key of one character, a type, a value of one byte. */
export const LEAST_ENTRY_BYTES = 8 + 1 + 4 + 1

/** Reads so many key-value pairs. Keys are different and not empty. */
export function readMetadata(cursor: HeaderCursor, entries: number): Map<string, MetadataValue> {
  const metadata = new Map<string, MetadataValue>()
  for (let entry = 0; entry < entries; entry++) {
    cursor.place = {}
    const start = cursor.position
    const key = cursor.string(MAX_KEY_BYTES)
    if (key === '') throw cursor.error('an empty key', 'a key', start)
    cursor.place = { field: key.length <= 200 ? key : `${key.slice(0, 200)}…` }
    if (metadata.has(key)) throw cursor.error('a key that is there twice', 'different keys', start)
    metadata.set(key, readValue(cursor, readType(cursor), 0))
  }
  cursor.place = {}
  return metadata
}

function readType(cursor: HeaderCursor): number {
  const offset = cursor.position
  const type = cursor.uint32()
  if (type >= LEAST_BYTES.length) throw cursor.error(`the value type ${type}`, `a type from 0 to ${LEAST_BYTES.length - 1}`, offset)
  return type
}

function readValue(cursor: HeaderCursor, type: number, depth: number): MetadataValue {
  switch (type) {
    case VALUE_TYPES.uint8:
      return cursor.uint8()
    case VALUE_TYPES.int8:
      return cursor.int8()
    case VALUE_TYPES.uint16:
      return cursor.uint16()
    case VALUE_TYPES.int16:
      return cursor.int16()
    case VALUE_TYPES.uint32:
      return cursor.uint32()
    case VALUE_TYPES.int32:
      return cursor.int32()
    case VALUE_TYPES.float32:
      return cursor.float32()
    case VALUE_TYPES.bool:
      return readBool(cursor)
    case VALUE_TYPES.string:
      return cursor.string()
    case VALUE_TYPES.uint64:
      return cursor.uint64()
    case VALUE_TYPES.int64:
      return cursor.int64()
    case VALUE_TYPES.float64:
      return cursor.float64()
    default:
      return readArray(cursor, depth)
  }
}

function readArray(cursor: HeaderCursor, depth: number): readonly MetadataValue[] {
  if (depth >= MAX_ARRAY_DEPTH) throw cursor.error(`arrays nested more than ${MAX_ARRAY_DEPTH} deep`, `at most ${MAX_ARRAY_DEPTH}`)
  const type = readType(cursor)
  const length = cursor.count('array elements', MAX_ARRAY_LENGTH, LEAST_BYTES[type] ?? 1)
  const values: MetadataValue[] = []
  for (let index = 0; index < length; index++) values.push(readValue(cursor, type, depth + 1))
  return values
}

function readBool(cursor: HeaderCursor): boolean {
  const offset = cursor.position
  const value = cursor.uint8()
  if (value > 1) throw cursor.error(`a truth value of ${value}`, '0 or 1', offset)
  return value === 1
}
