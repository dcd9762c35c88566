/**
 * The header of a safetensors file: 8 bytes of length (little-endian), then JSON that maps names to `dtype`, `shape` and `data_offsets`,
 * then the data. Rules as in the format's description (huggingface/safetensors): no overlap, no gap, all of the data covered, no name twice, and nothing
 * is allocated before its size has been compared with the size of the file. Offsets need not be aligned.
 */

import { bytesOf, elementsOf } from '../encoding.ts'
import { WeightsFormatError } from '../errors.ts'
import type { ByteSource } from '../sources/byte-source.ts'
import { decodeUtf8, firstInvalidByte } from '../utf8.ts'
import type { TensorEncoding, TensorInfo } from '../weight-store.ts'
import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson, StrictJsonError } from './strict-json.ts'

/** As the reference implementation. */
const MAX_SAFETENSORS_HEADER_BYTES = 100_000_000
const MAX_TENSOR_NAME_LENGTH = 4096
const MAX_DIMENSIONS = 64

const LENGTH_BYTES = 8
const MAX_DEPTH = 3
const METADATA_KEY = '__metadata__'

const DTYPES: ReadonlyMap<string, TensorEncoding> = new Map(
  (
    [
      'BOOL',
      'F4',
      'F6_E2M3',
      'F6_E3M2',
      'U8',
      'I8',
      'F8_E5M2',
      'F8_E4M3',
      'F8_E8M0',
      'F8_E4M3FNUZ',
      'F8_E5M2FNUZ',
      'I16',
      'U16',
      'F16',
      'BF16',
      'I32',
      'U32',
      'F32',
      'C64',
      'F64',
      'I64',
      'U64',
    ] satisfies readonly TensorEncoding[]
  ).map((dtype) => [dtype, dtype]),
)

/** Whether safetensors has this encoding. */
export function isSafetensorsDtype(encoding: TensorEncoding): boolean {
  return DTYPES.has(encoding)
}

/** A tensor and its bytes [begin, end), counted from the start of the data. */
export interface SafetensorsEntry {
  readonly info: TensorInfo
  readonly begin: number
  readonly end: number
}

export interface SafetensorsHeader {
  readonly entries: readonly SafetensorsEntry[]
  readonly metadata: ReadonlyMap<string, string>
  /** Byte of the file at which the data starts. */
  readonly dataStart: number
}

/**
 * Reads and checks the header.
 *
 * @throws {WeightsFormatError} when the file is not safetensors, or contradicts itself or its size
 */
export async function readSafetensorsHeader(
  source: ByteSource,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<SafetensorsHeader> {
  const file = source.name
  if (source.byteLength < LENGTH_BYTES) {
    throw new WeightsFormatError({
      file,
      offset: 0,
      found: `${source.byteLength} bytes`,
      expected: `at least the ${LENGTH_BYTES} bytes of the header's length`,
    })
  }
  const lengthBytes = await source.read(0, LENGTH_BYTES, options)
  const headerBytes = checkedHeaderLength(lengthBytes, source)
  const bytes = await source.read(LENGTH_BYTES, headerBytes, options)
  const dataStart = LENGTH_BYTES + headerBytes
  const { entries, metadata } = parseHeader(bytes, file)
  checkCoverage(entries, { file, dataStart, dataBytes: source.byteLength - dataStart })
  return { entries, metadata, dataStart }
}

function checkedHeaderLength(bytes: Uint8Array, { name: file, byteLength }: ByteSource): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
  const place = { file, offset: 0 }
  if (length === 0n) throw new WeightsFormatError({ ...place, found: 'a header of 0 bytes', expected: 'a JSON object' })
  if (length > BigInt(MAX_SAFETENSORS_HEADER_BYTES)) {
    throw new WeightsFormatError({ ...place, found: `a header of ${length} bytes`, expected: `at most ${MAX_SAFETENSORS_HEADER_BYTES}` })
  }
  if (length > BigInt(byteLength - LENGTH_BYTES)) {
    throw new WeightsFormatError({
      ...place,
      found: `a header of ${length} bytes`,
      expected: `a header inside of the file, which has ${byteLength} bytes`,
    })
  }
  return Number(length)
}

function parseHeader(bytes: Uint8Array, file: string) {
  const text = decodeUtf8(bytes)
  if (text === undefined) {
    const offset = LENGTH_BYTES + firstInvalidByte(bytes)
    throw new WeightsFormatError({ file, offset, found: 'a byte that is not UTF-8', expected: 'a header in UTF-8' })
  }
  if (text[0] !== '{') {
    throw new WeightsFormatError({
      file,
      offset: LENGTH_BYTES,
      found: 'a header that is no JSON object',
      expected: 'a header that begins with {',
    })
  }
  const header = parseObject(text, file)
  const entries: SafetensorsEntry[] = []
  let metadata: ReadonlyMap<string, string> = new Map()
  for (const [name, value] of header) {
    if (name === METADATA_KEY) metadata = parseMetadata(value, file)
    else entries.push(parseEntry(name, value, file))
  }
  return { entries, metadata }
}

function parseObject(text: string, file: string): JsonObject {
  try {
    const value = parseStrictJson(text, MAX_DEPTH)
    if (isJsonObject(value)) return value
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    const [name] = cause.path
    const place = { file, offset: LENGTH_BYTES, ...(name === undefined ? {} : { tensor: shortened(name) }) }
    throw new WeightsFormatError(
      { ...place, found: `${cause.problem} at character ${cause.position} of the header`, expected: 'one JSON object with different keys' },
      { cause },
    )
  }
  throw new WeightsFormatError({ file, offset: LENGTH_BYTES, found: 'a header that is no JSON object', expected: 'a JSON object' })
}

function parseMetadata(value: JsonValue, file: string): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>()
  if (isJsonObject(value)) {
    for (const [key, entry] of value) {
      if (typeof entry !== 'string') {
        throw new WeightsFormatError({ file, field: METADATA_KEY, found: `no string at key ${shortened(key)}`, expected: 'strings only' })
      }
      metadata.set(key, entry)
    }
    return metadata
  }
  throw new WeightsFormatError({ file, field: METADATA_KEY, found: 'no JSON object', expected: 'an object of strings' })
}

function parseEntry(name: string, value: JsonValue, file: string): SafetensorsEntry {
  const place = { file, tensor: shortened(name) }
  if (name === '') throw new WeightsFormatError({ file, offset: LENGTH_BYTES, found: 'a tensor without a name', expected: 'a name' })
  if (name.length > MAX_TENSOR_NAME_LENGTH) {
    throw new WeightsFormatError({ ...place, found: `a name of ${name.length} characters`, expected: `at most ${MAX_TENSOR_NAME_LENGTH}` })
  }
  if (!isJsonObject(value)) throw new WeightsFormatError({ ...place, found: 'no JSON object', expected: 'dtype, shape and data_offsets' })
  for (const key of value.keys()) {
    if (key === 'dtype' || key === 'shape' || key === 'data_offsets') continue
    throw new WeightsFormatError({ ...place, found: `a field ${shortened(key)}`, expected: 'dtype, shape and data_offsets only' })
  }
  const dtype = value.get('dtype')
  const encoding = typeof dtype === 'string' ? DTYPES.get(dtype) : undefined
  if (encoding === undefined) {
    throw new WeightsFormatError({ ...place, field: 'dtype', found: describe(dtype), expected: `one of ${[...DTYPES.keys()].join(', ')}` })
  }
  const shape = counts(value.get('shape'), { ...place, field: 'shape' })
  if (shape.length > MAX_DIMENSIONS) {
    throw new WeightsFormatError({ ...place, field: 'shape', found: `${shape.length} dimensions`, expected: `at most ${MAX_DIMENSIONS}` })
  }
  const [begin, end, ...more] = counts(value.get('data_offsets'), { ...place, field: 'data_offsets' })
  if (begin === undefined || end === undefined || more.length > 0) {
    throw new WeightsFormatError({ ...place, field: 'data_offsets', found: 'not two numbers', expected: 'where the bytes begin and end' })
  }
  if (end < begin) {
    throw new WeightsFormatError({
      ...place,
      field: 'data_offsets',
      found: `bytes that begin at ${begin} and end at ${end}`,
      expected: 'an end that is not before the beginning',
    })
  }
  const elements = elementsOf(shape)
  if (elements === undefined) {
    throw new WeightsFormatError({
      ...place,
      field: 'shape',
      found: `[${shape.join(', ')}], whose product overflows`,
      expected: `at most ${Number.MAX_SAFE_INTEGER} elements`,
    })
  }
  const byteLength = bytesOf(encoding, elements)
  if (byteLength === undefined) {
    throw new WeightsFormatError({
      ...place,
      field: 'shape',
      found: `${elements} elements of ${encoding}, which do not fill whole bytes`,
      expected: 'whole bytes',
    })
  }
  if (byteLength !== end - begin) {
    throw new WeightsFormatError({
      ...place,
      field: 'data_offsets',
      found: `${end - begin} bytes`,
      expected: `the ${byteLength} bytes that shape [${shape.join(', ')}] takes in ${encoding}`,
    })
  }
  return { info: { name, encoding, shape, byteLength, file }, begin, end }
}

/** Whole numbers from 0 to 2^53 - 1. */
function counts(value: JsonValue | undefined, place: { readonly file: string; readonly tensor: string; readonly field: string }): number[] {
  if (!Array.isArray(value)) throw new WeightsFormatError({ ...place, found: describe(value), expected: 'an array of whole numbers' })
  return value.map((entry: JsonValue) => {
    if (typeof entry !== 'number' || !Number.isSafeInteger(entry) || entry < 0) {
      throw new WeightsFormatError({ ...place, found: describe(entry), expected: `whole numbers from 0 to ${Number.MAX_SAFE_INTEGER}` })
    }
    return entry + 0
  })
}

interface DataPlace {
  readonly file: string
  readonly dataStart: number
  readonly dataBytes: number
}

/** Sorts the entries by their place and checks that they cover the data without overlap, gap or rest. */
function checkCoverage(entries: SafetensorsEntry[], { file, dataStart, dataBytes }: DataPlace): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  let previous = ''
  for (const { info, begin, end } of entries) {
    const place = { file, tensor: shortened(info.name), offset: dataStart + begin }
    if (end > dataBytes) {
      throw new WeightsFormatError({
        ...place,
        found: `bytes ${begin} to ${end} of the data`,
        expected: `bytes inside of the ${dataBytes} that the file holds after its header`,
      })
    }
    if (begin < covered) {
      throw new WeightsFormatError({
        ...place,
        found: `bytes ${begin} to ${end} of the data, which overlap with those of ${shortened(previous)}, up to ${covered}`,
        expected: 'tensors that share no bytes',
      })
    }
    if (begin > covered) {
      throw new WeightsFormatError({
        ...place,
        found: `a hole before it: bytes ${covered} to ${begin} of the data belong to no tensor`,
        expected: 'no holes',
      })
    }
    covered = end
    previous = info.name
  }
  if (covered < dataBytes) {
    throw new WeightsFormatError({
      file,
      offset: dataStart + covered,
      found: `${dataBytes - covered} bytes after the end of the last tensor, which is at byte ${covered} of the data`,
      expected: 'a file that ends with its last tensor',
    })
  }
}

function describe(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return shortened(JSON.stringify(value))
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return isJsonObject(value) ? 'an object' : 'an array'
}

/** Names in messages are cut: a message must not be a megabyte long. */
function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}
