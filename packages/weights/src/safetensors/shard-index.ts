/**
 * `model.safetensors.index.json`: which file of a sharded checkpoint holds which tensor. The file names come from a stranger and
 * become paths, so only plain names are let through.
 */
import { WeightsFormatError } from '../errors.ts'
import type { ByteSource } from '../sources/byte-source.ts'
import { decodeUtf8, firstInvalidByte } from '../utf8.ts'
import { isJsonObject, type JsonValue, parseStrictJson, StrictJsonError } from './strict-json.ts'

const MAX_INDEX_BYTES = 100_000_000

export interface ShardIndex {
  /** The name of the index itself, for error messages. */
  readonly name: string
  /** Each file once, sorted. */
  readonly files: readonly string[]
  /** The file of each tensor. */
  readonly fileOf: ReadonlyMap<string, string>
}

/**
 * Reads and checks an index.
 *
 * @throws {WeightsFormatError} when it is not JSON, names a tensor twice, or names a file that is not a plain `.safetensors` name
 */
export async function readShardIndex(source: ByteSource, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ShardIndex> {
  const file = source.name
  if (source.byteLength > MAX_INDEX_BYTES) {
    throw new WeightsFormatError({ file, found: `an index of ${source.byteLength} bytes`, expected: `at most ${MAX_INDEX_BYTES}` })
  }
  const bytes = await source.read(0, source.byteLength, options)
  const text = decodeUtf8(bytes)
  if (text === undefined) {
    throw new WeightsFormatError({
      file,
      offset: firstInvalidByte(bytes),
      found: 'a byte that is not UTF-8',
      expected: 'an index in UTF-8',
    })
  }
  const root = parseIndex(text, file)
  const weightMap = isJsonObject(root) ? root.get('weight_map') : undefined
  if (!isJsonObject(weightMap)) {
    throw new WeightsFormatError({
      file,
      field: 'weight_map',
      found: 'no JSON object',
      expected: 'an object that maps tensor names to file names',
    })
  }
  const fileOf = new Map<string, string>()
  for (const [tensor, shard] of weightMap) {
    if (typeof shard !== 'string' || !isPlainName(shard)) {
      throw new WeightsFormatError({
        file,
        tensor,
        found: `the file name ${JSON.stringify(shard)?.slice(0, 200)}`,
        expected: 'the plain name of a .safetensors file beside the index',
      })
    }
    fileOf.set(tensor, shard)
  }
  if (fileOf.size === 0) throw new WeightsFormatError({ file, field: 'weight_map', found: 'no tensors', expected: 'at least one' })
  return { name: file, files: [...new Set(fileOf.values())].sort(), fileOf }
}

function parseIndex(text: string, file: string): JsonValue {
  try {
    return parseStrictJson(text, 8)
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    const [section, tensor] = cause.path
    const place = { file, ...(section === 'weight_map' && tensor !== undefined ? { tensor } : {}) }
    throw new WeightsFormatError(
      { ...place, found: `${cause.problem} at character ${cause.position}`, expected: 'JSON with different keys' },
      { cause },
    )
  }
}

/** No folders, no drive letters, no hidden names: letters, digits, and a few marks. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.+-]*\.safetensors$/.test(name) && name.length <= 255
}
