/**
 * Writing protobuf by table. Lengths are computed first, so a message is written in one pass without being moved; long byte
 * strings are not copied but stand between the written pieces as the views they are.
 */
import { OnnxFormatError } from '../errors.ts'
import type { Message } from './messages.ts'
import { type Field, fieldsOf, isMessageName, type MessageName } from './schema.ts'

/** Byte strings from this length on stay views. */
const VIEW_BYTES = 1024

const ASCII = /^[\0-\x7f]*$/

const encoder = new TextEncoder()

/** The bytes of a message, in pieces whose concatenation is the message. */
export function encodeMessage(name: MessageName, message: Message): { readonly parts: readonly Uint8Array[]; readonly byteLength: number } {
  const sizes = new Map<object, number>()
  const byteLength = messageSize(name, message, sizes)
  const writer = new PartWriter()
  writeMessage(writer, name, message, sizes)
  return { parts: writer.finish(), byteLength }
}

/** All parts one after the other. */
export function joinParts(parts: readonly Uint8Array[], byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

function messageSize(name: MessageName, message: object, sizes: Map<object, number>): number {
  const known = sizes.get(message)
  if (known !== undefined) return known
  let size = 0
  for (const field of fieldsOf(name).list) {
    for (const value of valuesOf(message, field)) size += tagSize(field) + valueSize(field, value, sizes)
    if (!field.isPacked) continue
    const payload = packedSize(message, field)
    if (payload > 0) size += tagSize(field) + varintSize(payload) + payload
  }
  for (const bytes of unknownFieldsOf(message)) size += bytes.length
  sizes.set(message, size)
  return size
}

function writeMessage(writer: PartWriter, name: MessageName, message: object, sizes: Map<object, number>): void {
  for (const field of fieldsOf(name).list) {
    for (const value of valuesOf(message, field)) {
      writer.varint(field.number * 8 + wireType(field))
      writeValue(writer, field, value, sizes)
    }
    if (!field.isPacked) continue
    const payload = packedSize(message, field)
    if (payload === 0) continue
    writer.varint(field.number * 8 + 2)
    writer.varint(payload)
    for (const value of listOf(message, field)) writeScalar(writer, field, value)
  }
  for (const bytes of unknownFieldsOf(message)) writer.bytes(bytes)
}

/** What is written with a tag each: nothing for absent and packed fields. */
function valuesOf(message: object, field: Field): readonly unknown[] {
  if (field.isPacked) return []
  if (field.isRepeated) return listOf(message, field)
  const value: unknown = Reflect.get(message, field.name)
  return value === undefined ? [] : [value]
}

function listOf(message: object, field: Field): readonly unknown[] {
  const value: unknown = Reflect.get(message, field.name)
  if (value === undefined) return []
  if (!Array.isArray(value)) throw wrongValue(field, value)
  return value
}

function unknownFieldsOf(message: Message): readonly Uint8Array[] {
  return message.unknownFields ?? []
}

function packedSize(message: object, field: Field): number {
  let size = 0
  for (const value of listOf(message, field)) size += valueSize(field, value, NO_SIZES)
  return size
}

const NO_SIZES = new Map<object, number>()

function valueSize(field: Field, value: unknown, sizes: Map<object, number>): number {
  const { kind } = field
  if (isMessageName(kind)) {
    if (typeof value !== 'object' || value === null) throw wrongValue(field, value)
    const size = messageSize(kind, value, sizes)
    return varintSize(size) + size
  }
  switch (kind) {
    case 'float':
      return 4
    case 'double':
      return 8
    case 'string': {
      const size = utf8Size(field, value)
      return varintSize(size) + size
    }
    case 'bytes': {
      const size = requireBytes(field, value).length
      return varintSize(size) + size
    }
    default:
      return varintSize(requireInteger(field, value))
  }
}

function writeValue(writer: PartWriter, field: Field, value: unknown, sizes: Map<object, number>): void {
  if (!isMessageName(field.kind)) {
    writeScalar(writer, field, value)
    return
  }
  if (typeof value !== 'object' || value === null) throw wrongValue(field, value)
  writer.varint(messageSize(field.kind, value, sizes))
  writeMessage(writer, field.kind, value, sizes)
}

function writeScalar(writer: PartWriter, field: Field, value: unknown): void {
  switch (field.kind) {
    case 'float':
      writer.float(requireNumber(field, value))
      return
    case 'double':
      writer.double(requireNumber(field, value))
      return
    case 'string': {
      const bytes = encoder.encode(requireString(field, value))
      writer.varint(bytes.length)
      writer.bytes(bytes)
      return
    }
    case 'bytes': {
      const bytes = requireBytes(field, value)
      writer.varint(bytes.length)
      writer.bytes(bytes)
      return
    }
    default:
      writer.varint(requireInteger(field, value))
  }
}

class PartWriter {
  readonly #parts: Uint8Array[] = []
  #buffer = new Uint8Array(4096)
  #view = new DataView(this.#buffer.buffer)
  #start = 0
  #length = 0

  varint(value: number | bigint): void {
    this.#reserve(10)
    if (typeof value === 'number' && value >= 0) {
      let rest = value
      while (rest >= 128) {
        this.#buffer[this.#length++] = (rest % 128) | 128
        rest = Math.floor(rest / 128)
      }
      this.#buffer[this.#length++] = rest
      return
    }
    // Negative numbers are written as 64-bit two's complement, also those of 32 bits.
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest >= 128n) {
      this.#buffer[this.#length++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.#buffer[this.#length++] = Number(rest)
  }

  float(value: number): void {
    this.#reserve(4)
    this.#view.setFloat32(this.#length, value, true)
    this.#length += 4
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length >= VIEW_BYTES) {
      this.#cut()
      this.#parts.push(bytes)
      return
    }
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  finish(): readonly Uint8Array[] {
    this.#cut()
    return this.#parts
  }

  #cut(): void {
    if (this.#length > this.#start) this.#parts.push(this.#buffer.subarray(this.#start, this.#length))
    this.#start = this.#length
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    this.#cut()
    this.#buffer = new Uint8Array(65_536)
    this.#view = new DataView(this.#buffer.buffer)
    this.#start = 0
    this.#length = 0
  }
}

function tagSize(field: Field): number {
  return field.number < 16 ? 1 : 2
}

function wireType({ kind }: Field): number {
  if (kind === 'float') return 5
  if (kind === 'double') return 1
  return kind === 'int32' || kind === 'int64' || kind === 'uint64' ? 0 : 2
}

function varintSize(value: number | bigint): number {
  if (value < 0) return 10
  let size = 1
  let rest = typeof value === 'bigint' && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
  if (typeof rest === 'bigint') {
    for (; rest >= 128n; rest >>= 7n) size++
    return size
  }
  for (; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

function utf8Size(field: Field, value: unknown): number {
  const text = requireString(field, value)
  // Names are: the pattern is twenty times as quick as the loop before that is compiled.
  if (ASCII.test(text)) return text.length
  let size = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00
    if (isPair) index++
    // A lone surrogate is written as U+FFFD, three bytes.
    size += isPair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3
  }
  return size
}

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
}

function requireInteger(field: Field, value: unknown): number | bigint {
  const [least, most] = RANGES[field.kind] ?? [0n, 0n]
  const isExact = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
  if (!isExact || value < least || value > most) throw wrongValue(field, value)
  return value
}

function requireNumber(field: Field, value: unknown): number {
  if (typeof value !== 'number') throw wrongValue(field, value)
  return value
}

function requireString(field: Field, value: unknown): string {
  if (typeof value !== 'string') throw wrongValue(field, value)
  return value
}

function requireBytes(field: Field, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrongValue(field, value)
  return value
}

function wrongValue(field: Field, value: unknown): OnnxFormatError {
  const found = typeof value === 'number' || typeof value === 'bigint' ? `${value}` : value === null ? 'null' : typeof value
  return new OnnxFormatError({ field: field.name, found, expected: field.isRepeated ? `a list of ${field.kind}` : field.kind })
}
