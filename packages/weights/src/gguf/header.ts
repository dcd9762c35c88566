/**
 * The header of a GGUF file (versions 2 and 3): magic, version, counts, metadata, and the directory of tensors; the data follow at the next
 * multiple of `general.alignment`. Its length is not written anywhere, so the file is read from the start in growing pieces until the
 * header is whole. Checks are cheap and come first: a count is compared with the bytes that are left before one element is read.
 * Format: ggml-org/ggml, docs/gguf.md.
 */
import { bytesOf, elementsOf, layoutOf } from '../encoding.ts'
import { UnsupportedEncodingError, WeightsFormatError } from '../errors.ts'
import type { ByteSource } from '../sources/byte-source.ts'
import type { MetadataValue, TensorEncoding, TensorInfo } from '../weight-store.ts'
import { HeaderCursor, PrefixTooShort } from './header-cursor.ts'
import { LEAST_ENTRY_BYTES, MAX_METADATA_ENTRIES, readMetadata } from './metadata.ts'
import { GGML_ENCODINGS, UNREAD_GGML_TYPES } from './tensor-types.ts'

const MAX_GGUF_HEADER_BYTES = 512 * 1024 * 1024
const MAX_GGUF_TENSORS = 1_000_000
const MAX_GGUF_NAME_BYTES = 4096
const MAX_GGUF_DIMENSIONS = 4
const MAX_ALIGNMENT = 1024 * 1024
export const DEFAULT_ALIGNMENT = 32

const MAGIC = 0x46554747
const FIRST_READ_BYTES = 1024 * 1024
/** A name of one character, the number of dimensions, one dimension, a type, an offset. */
const LEAST_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8

/** A tensor and the place of its bytes in the file. */
export interface GgufEntry {
  readonly info: TensorInfo
  readonly offset: number
}

export interface GgufHeader {
  readonly version: number
  readonly metadata: ReadonlyMap<string, MetadataValue>
  readonly entries: readonly GgufEntry[]
  readonly alignment: number
  /** Byte of the file at which the data start. */
  readonly dataStart: number
}

/**
 * Reads and checks the header.
 *
 * @throws {WeightsFormatError} when the file is not GGUF, or contradicts itself or its size
 * @throws {UnsupportedEncodingError} when a tensor has a known type that this package does not read
 */
export async function readGgufHeader(source: ByteSource, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<GgufHeader> {
  let prefix = await source.read(0, Math.min(FIRST_READ_BYTES, source.byteLength), options)
  for (;;) {
    const needed = parseOrNeed(prefix, source)
    if (typeof needed !== 'number') return needed
    if (needed > MAX_GGUF_HEADER_BYTES) {
      throw new WeightsFormatError({
        file: source.name,
        offset: needed,
        found: `a header of more than ${MAX_GGUF_HEADER_BYTES} bytes`,
        expected: 'a shorter one',
      })
    }
    prefix = await extended(
      source,
      prefix,
      Math.min(source.byteLength, MAX_GGUF_HEADER_BYTES, Math.max(needed, 2 * prefix.byteLength)),
      options,
    )
  }
}

function parseOrNeed(prefix: Uint8Array, source: ByteSource): GgufHeader | number {
  const cursor = new HeaderCursor(prefix, { file: source.name, fileBytes: source.byteLength })
  try {
    return parseHeader(cursor)
  } catch (cause) {
    if (cause instanceof PrefixTooShort) return cause.neededBytes
    throw cause
  }
}

async function extended(source: ByteSource, prefix: Uint8Array, length: number, options: { readonly signal?: AbortSignal | undefined }) {
  const rest = await source.read(prefix.byteLength, length - prefix.byteLength, options)
  const joined = new Uint8Array(length)
  joined.set(prefix)
  joined.set(rest, prefix.byteLength)
  return joined
}

function parseHeader(cursor: HeaderCursor): GgufHeader {
  const magic = cursor.uint32()
  if (magic !== MAGIC) throw cursor.error(`the magic number 0x${magic.toString(16)}`, 'the letters GGUF', 0)
  const version = readVersion(cursor)
  const tensorCount = cursor.count('tensors', MAX_GGUF_TENSORS, LEAST_TENSOR_BYTES)
  const metadata = readMetadata(cursor, cursor.count('metadata entries', MAX_METADATA_ENTRIES, LEAST_ENTRY_BYTES))
  const alignment = alignmentOf(metadata, cursor)
  const listed: ListedTensor[] = []
  const names = new Set<string>()
  for (let index = 0; index < tensorCount; index++) {
    const tensor = readTensor(cursor, alignment)
    if (names.has(tensor.name)) throw cursor.error('a tensor that is there twice', 'different names')
    names.add(tensor.name)
    listed.push(tensor)
  }
  cursor.place = {}
  const dataStart = Math.ceil(cursor.position / alignment) * alignment
  return { version, metadata, alignment, dataStart, entries: placeTensors(listed, cursor, dataStart) }
}

function readVersion(cursor: HeaderCursor): number {
  const version = cursor.uint32()
  if (version === 2 || version === 3) return version
  if (version !== 0 && (version & 0xffff) === 0) throw cursor.error('a big-endian file', 'a little-endian one', 4)
  throw cursor.error(`version ${version}`, 'version 2 or 3', 4)
}

function alignmentOf(metadata: ReadonlyMap<string, MetadataValue>, cursor: HeaderCursor): number {
  const alignment = metadata.get('general.alignment')
  if (alignment === undefined) return DEFAULT_ALIGNMENT
  const isPowerOfTwo =
    typeof alignment === 'number' && alignment >= 8 && alignment <= MAX_ALIGNMENT && Number.isInteger(Math.log2(alignment))
  if (isPowerOfTwo) return alignment
  cursor.place = { field: 'general.alignment' }
  const found =
    typeof alignment === 'number' ? String(alignment) : `a value of type ${Array.isArray(alignment) ? 'array' : typeof alignment}`
  throw cursor.error(found, `a power of two from 8 to ${MAX_ALIGNMENT}`)
}

interface ListedTensor {
  readonly name: string
  readonly encoding: TensorEncoding
  readonly shape: readonly number[]
  readonly byteLength: number
  /** From the start of the data. */
  readonly begin: number
}

function readTensor(cursor: HeaderCursor, alignment: number): ListedTensor {
  cursor.place = {}
  const start = cursor.position
  const name = cursor.string(MAX_GGUF_NAME_BYTES)
  if (name === '') throw cursor.error('a tensor without a name', 'a name', start)
  cursor.place = { tensor: name.length <= 200 ? name : `${name.slice(0, 200)}…` }
  const shape = readShape(cursor)
  const encoding = readEncoding(cursor)
  const byteLength = checkedBytes(cursor, encoding, shape)
  const offset = cursor.position
  const begin = cursor.uint64()
  if (begin > BigInt(Number.MAX_SAFE_INTEGER))
    throw cursor.error(`data at offset ${begin}`, `an offset inside of the file, which has ${cursor.fileBytes} bytes`, offset)
  if (begin % BigInt(alignment) !== 0n) throw cursor.error(`data at offset ${begin}`, `a multiple of the alignment, ${alignment}`, offset)
  return { name, encoding, shape, byteLength, begin: Number(begin) }
}

/** Dimensions as we name them: slowest first, the other way round than the file lists them. */
function readShape(cursor: HeaderCursor): readonly number[] {
  const offset = cursor.position
  const dimensions = cursor.uint32()
  if (dimensions < 1 || dimensions > MAX_GGUF_DIMENSIONS)
    throw cursor.error(`${dimensions} dimensions`, `1 to ${MAX_GGUF_DIMENSIONS}`, offset)
  const shape: number[] = []
  for (let index = 0; index < dimensions; index++) {
    const at = cursor.position
    const dimension = cursor.uint64()
    if (dimension < 1n || dimension > BigInt(Number.MAX_SAFE_INTEGER))
      throw cursor.error(`a dimension of ${dimension}`, `1 to ${Number.MAX_SAFE_INTEGER}`, at)
    shape.unshift(Number(dimension))
  }
  return shape
}

function readEncoding(cursor: HeaderCursor): TensorEncoding {
  const offset = cursor.position
  const type = cursor.uint32()
  const encoding = GGML_ENCODINGS.get(type)
  if (encoding !== undefined) return encoding
  const unread = UNREAD_GGML_TYPES.get(type)
  const expected = [...GGML_ENCODINGS.values()].join(', ')
  if (unread === undefined) throw cursor.error(`the unknown tensor type ${type}`, `one of ${expected}`, offset)
  throw new UnsupportedEncodingError({
    file: cursor.file,
    ...cursor.place,
    offset,
    found: `the tensor type ${unread}`,
    expected: `one of ${expected}`,
  })
}

function checkedBytes(cursor: HeaderCursor, encoding: TensorEncoding, shape: readonly number[]): number {
  const rowElements = shape.at(-1) ?? 1
  const { elements: blockElements } = layoutOf(encoding)
  if (rowElements % blockElements !== 0) {
    throw cursor.error(`rows of ${rowElements} elements in ${encoding}`, `rows of whole blocks of ${blockElements}`)
  }
  const elements = elementsOf(shape)
  const byteLength = elements === undefined ? undefined : bytesOf(encoding, elements)
  if (byteLength === undefined)
    throw cursor.error(`dimensions [${shape.join(', ')}], whose product overflows`, `at most ${Number.MAX_SAFE_INTEGER} bytes`)
  return byteLength
}

/** Checks that tensors lie inside of the file and share no bytes; entries come in the order of the file. */
function placeTensors(listed: readonly ListedTensor[], { file, fileBytes }: HeaderCursor, dataStart: number): readonly GgufEntry[] {
  const inOrder = [...listed].sort((a, b) => a.begin - b.begin)
  let covered = 0
  let previous = ''
  for (const { name, begin, byteLength } of inOrder) {
    const place = { file, tensor: name.slice(0, 200), offset: dataStart + begin }
    if (begin < covered) {
      throw new WeightsFormatError({
        ...place,
        found: `data that overlap with those of ${previous.slice(0, 200)}, which end at byte ${dataStart + covered}`,
        expected: 'tensors that share no bytes',
      })
    }
    covered = begin + byteLength
    previous = name
    if (dataStart + covered > fileBytes) {
      throw new WeightsFormatError({
        ...place,
        found: `data from byte ${dataStart + begin} to ${dataStart + covered}`,
        expected: `data inside of the file, which has ${fileBytes} bytes (tensor data start at byte ${dataStart})`,
      })
    }
  }
  return listed.map(({ name, encoding, shape, byteLength, begin }) => ({
    info: { name, encoding, shape, byteLength, file },
    offset: dataStart + begin,
  }))
}
