/** Reading the `tokenizer.*` keys of a GGUF file; every value is checked, and errors name its key. */
import { TokenizerFormatError } from '../errors.ts'
import { describeValue } from '../json-fields.ts'

export type GgufMetadataValue = string | number | bigint | boolean | readonly GgufMetadataValue[]
export type GgufMetadata = ReadonlyMap<string, GgufMetadataValue>

export function formatError(field: string, found: unknown, expected: string): TokenizerFormatError {
  return new TokenizerFormatError({ field, found: typeof found === 'bigint' ? String(found) : describeValue(found), expected })
}

export function textAt(metadata: GgufMetadata, key: string): string | undefined {
  const value = metadata.get(key)
  if (value !== undefined && typeof value !== 'string') throw formatError(key, value, 'text')
  return value
}

export function booleanAt(metadata: GgufMetadata, key: string, fallback: boolean): boolean {
  const value = metadata.get(key)
  if (value !== undefined && typeof value !== 'boolean') throw formatError(key, value, 'true or false')
  return value ?? fallback
}

/** The list under a key; undefined when there is none. @param length  how many elements it must have */
export function listAt(metadata: GgufMetadata, key: string, length?: number): readonly GgufMetadataValue[] | undefined {
  const value = metadata.get(key)
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw formatError(key, value, 'a list')
  if (length !== undefined && value.length !== length) throw formatError(key, `${value.length} elements`, `${length}, one for each token`)
  return value
}

export function textListAt(metadata: GgufMetadata, key: string): readonly string[] | undefined {
  return listAt(metadata, key)?.map((value, index) => {
    if (typeof value !== 'string') throw formatError(`${key}[${index}]`, value, 'text')
    return value
  })
}

/** Integers of 32 and 64 bits come as numbers and as bigints. */
export function wholeNumber(value: GgufMetadataValue, path: string): number {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw formatError(path, value, 'a whole number')
  return number
}

/** The id of a special token. Files without such a token leave the key out, or give an id that is none (all bits set). */
export function tokenIdAt(metadata: GgufMetadata, name: string, vocabularySize: number): number | undefined {
  const key = `tokenizer.ggml.${name}_token_id`
  const value = metadata.get(key)
  if (value === undefined) return undefined
  const id = wholeNumber(value, key)
  if (id === -1 || id === 0xffff_ffff) return undefined
  if (id < 0 || id >= vocabularySize) throw formatError(key, id, `an id below ${vocabularySize}`)
  return id
}
