/**
 * Reading protobuf by table, from bytes that nobody vouches for. Every length is checked against what is left before anything
 * is made of it; nesting and the number of messages are bounded, since a few bytes can stand for an object of many. Byte
 * strings are views of the input: nothing is copied. What the table does not know is kept as it is.
 */
import { OnnxFormatError } from '../errors.ts'
import { checkExternalLocation } from './external-location.ts'
import type { FunctionProto, GraphProto, ModelProto, TensorProto } from './messages.ts'
import { type Field, fieldsOf, isMessageName, type MessageName } from './schema.ts'

/** Messages inside of messages: what protobuf itself allows by default. */
const MOST_NESTED = 100
/** A message of 2 bytes becomes an object of some hundred bytes: this bounds the memory that a file can ask for. */
const MOST_MESSAGES = 1_000_000

const NONE: readonly unknown[] = Object.freeze([])

/**
 * An ONNX file as plain data. `rawData` are views of `bytes`.
 *
 * @throws {OnnxFormatError} when the bytes are malformed, exceed a limit, or ask for external data outside of their folder
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  // The table describes exactly the fields of ModelProto, which the compiler cannot see.
  const model = decodeMessage('ModelProto', bytes) as unknown as ModelProto
  for (const tensor of tensorsOf(model)) checkExternalData(tensor)
  return model
}

/** Any message of the schema, for tools and tests. */
export function decodeMessage(name: MessageName, bytes: Uint8Array): object {
  const reader = new Reader(bytes)
  return reader.message(name, bytes.length, 0, undefined)
}

/** All tensors with data of a model: initialisers and attributes, in graphs, their branches and bodies, and functions. */
export function* tensorsOf(model: ModelProto): Generator<TensorProto, void, undefined> {
  if (model.graph !== undefined) yield* tensorsOfGraph(model.graph)
  for (const { initialization, algorithm } of model.trainingInfo) {
    if (initialization !== undefined) yield* tensorsOfGraph(initialization)
    if (algorithm !== undefined) yield* tensorsOfGraph(algorithm)
  }
  for (const definition of model.functions) yield* tensorsOfNodes(definition)
}

function* tensorsOfGraph(graph: GraphProto): Generator<TensorProto, void, undefined> {
  yield* graph.initializer
  for (const { values, indices } of graph.sparseInitializer) {
    if (values !== undefined) yield values
    if (indices !== undefined) yield indices
  }
  yield* tensorsOfNodes(graph)
}

function* tensorsOfNodes({ node }: GraphProto | FunctionProto): Generator<TensorProto, void, undefined> {
  for (const { attribute } of node) {
    for (const { t, g, tensors, graphs, sparseTensor, sparseTensors } of attribute) {
      if (t !== undefined) yield t
      yield* tensors
      for (const sparse of sparseTensor === undefined ? sparseTensors : [sparseTensor, ...sparseTensors]) {
        if (sparse.values !== undefined) yield sparse.values
        if (sparse.indices !== undefined) yield sparse.indices
      }
      if (g !== undefined) yield* tensorsOfGraph(g)
      for (const graph of graphs) yield* tensorsOfGraph(graph)
    }
  }
}

const EXTERNAL_KEYS = ['location', 'offset', 'length', 'checksum', 'basepath']

/** Entries are read by name from a list: one that is there twice, or unknown, could be read differently by another reader. */
function checkExternalData({ name = '', externalData, dataLocation }: TensorProto): void {
  const seen = new Set<string>()
  for (const { key = '', value = '' } of externalData) {
    if (seen.has(key) || !EXTERNAL_KEYS.includes(key)) {
      throw new OnnxFormatError({
        tensor: name,
        field: 'external_data',
        found: `the key '${key}'${seen.has(key) ? ' twice' : ''}`,
        expected: `each of ${EXTERNAL_KEYS.join(', ')} at most once`,
      })
    }
    seen.add(key)
    if (key === 'location') checkExternalLocation(value, name)
    if ((key === 'offset' || key === 'length') && !/^[0-9]{1,15}$/.test(value)) {
      throw new OnnxFormatError({ tensor: name, field: key, found: JSON.stringify(value), expected: 'a number of bytes' })
    }
  }
  if (dataLocation === 1 && !seen.has('location')) {
    throw new OnnxFormatError({ tensor: name, field: 'external_data', found: 'no location', expected: 'the name of a file' })
  }
}

type Target = Record<string, unknown>

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #offset = 0
  #messages = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  message(name: MessageName, end: number, depth: number, existing: Target | undefined): Target {
    if (depth > MOST_NESTED) throw this.#error(name, 'deeper nesting', `at most ${MOST_NESTED} messages inside of each other`)
    if (++this.#messages > MOST_MESSAGES) throw this.#error(name, 'more messages', `at most ${MOST_MESSAGES}`)
    const { list, byNumber } = fieldsOf(name)
    const target = existing ?? emptyMessage(list)
    while (this.#offset < end) {
      const start = this.#offset
      const tag = this.#smallVarint(end, name)
      const wire = tag & 7
      const number = tag >>> 3
      if (number === 0) throw this.#error(name, 'field number 0', 'a field number from 1')
      const field = byNumber.get(number)
      if (field === undefined || !this.#accepts(field, wire)) {
        this.#skip(wire, end, name)
        append(target, 'unknownFields', this.#bytes.subarray(start, this.#offset))
      } else this.#field(field, wire, end, depth, list, target)
    }
    return target
  }

  #accepts({ kind, isRepeated }: Field, wire: number): boolean {
    const expected = kind === 'float' ? 5 : kind === 'double' ? 1 : kind === 'int32' || kind === 'int64' || kind === 'uint64' ? 0 : 2
    // Repeated numbers come one by one or packed, whatever the schema says.
    return wire === expected || (isRepeated && wire === 2)
  }

  #field(field: Field, wire: number, end: number, depth: number, list: readonly Field[], target: Target): void {
    const { kind, name } = field
    if (isMessageName(kind)) {
      const inner = this.#length(end, name)
      const previous = field.isRepeated ? undefined : target[name]
      const value = this.message(kind, inner, depth + 1, isTarget(previous) ? previous : undefined)
      this.#store(field, list, target, value)
      return
    }
    if (wire === 2 && kind !== 'string' && kind !== 'bytes') {
      const inner = this.#length(end, name)
      while (this.#offset < inner) append(target, name, this.#scalar(field, inner))
      return
    }
    this.#store(field, list, target, this.#scalar(field, end))
  }

  #store(field: Field, list: readonly Field[], target: Target, value: unknown): void {
    if (field.isRepeated) {
      append(target, field.name, value)
      return
    }
    if (field.isOneOf) for (const other of list) if (other.isOneOf && other !== field) delete target[other.name]
    target[field.name] = value
  }

  #scalar({ kind, name }: Field, end: number): unknown {
    switch (kind) {
      case 'int32':
        return Number(BigInt.asIntN(32, BigInt(this.#varint(end, name))))
      case 'int64': {
        const value = this.#varint(end, name)
        return typeof value === 'number' ? value : shorten(BigInt.asIntN(64, value))
      }
      case 'uint64': {
        const value = this.#varint(end, name)
        return typeof value === 'number' ? value : shorten(value)
      }
      case 'float':
        this.#need(4, end, name)
        this.#offset += 4
        return this.#view.getFloat32(this.#offset - 4, true)
      case 'double':
        this.#need(8, end, name)
        this.#offset += 8
        return this.#view.getFloat64(this.#offset - 8, true)
      case 'string': {
        const bytes = this.#slice(end, name)
        try {
          return this.#text.decode(bytes)
        } catch (cause) {
          throw this.#error(name, 'bytes that are no UTF-8', 'a text', cause)
        }
      }
      default:
        return this.#slice(end, name)
    }
  }

  #slice(end: number, name: string): Uint8Array {
    const inner = this.#length(end, name)
    const bytes = this.#bytes.subarray(this.#offset, inner)
    this.#offset = inner
    return bytes
  }

  /** Reads a length and gives the offset at which what it describes ends. */
  #length(end: number, name: string): number {
    const length = this.#varint(end, name)
    if (length > end - this.#offset)
      throw this.#error(name, `a length of ${length} bytes`, `at most the ${end - this.#offset} that are left`)
    return this.#offset + Number(length)
  }

  #need(bytes: number, end: number, name: string): void {
    if (end - this.#offset < bytes) throw this.#error(name, `${end - this.#offset} bytes`, `${bytes}`)
  }

  #smallVarint(end: number, name: string): number {
    const value = this.#varint(end, name)
    if (typeof value === 'bigint' || value > 0xffff_ffff) throw this.#error(name, `the tag ${value}`, 'a field number below 2^29')
    return value
  }

  /** Unsigned; a bigint when it may not be exact as a number. */
  #varint(end: number, name: string): number | bigint {
    let value = 0
    let factor = 1
    for (let count = 0; count < 10; count++) {
      if (this.#offset >= end) throw this.#error(name, 'the end of the message', 'the rest of a number')
      const byte = this.#bytes[this.#offset++] ?? 0
      if (count === 7 && (byte > 15 || value + (byte & 127) * factor > Number.MAX_SAFE_INTEGER)) return this.#longVarint(end, name, 8)
      value += (byte & 127) * factor
      if (byte < 128) return value
      factor *= 128
    }
    throw this.#error(name, 'a number of more than 10 bytes', 'at most 10')
  }

  #longVarint(end: number, name: string, read: number): bigint {
    this.#offset -= read
    let value = 0n
    for (let count = 0n; count < 10n; count++) {
      if (this.#offset >= end) throw this.#error(name, 'the end of the message', 'the rest of a number')
      const byte = this.#bytes[this.#offset++] ?? 0
      value |= BigInt(byte & 127) << (7n * count)
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    throw this.#error(name, 'a number of more than 10 bytes', 'at most 10')
  }

  #skip(wire: number, end: number, name: string): void {
    switch (wire) {
      case 0:
        this.#varint(end, name)
        return
      case 1:
        this.#need(8, end, name)
        this.#offset += 8
        return
      case 2:
        this.#offset = this.#length(end, name)
        return
      case 5:
        this.#need(4, end, name)
        this.#offset += 4
        return
      default:
        throw this.#error(name, `wire type ${wire}`, '0, 1, 2 or 5')
    }
  }

  #error(field: string, found: string, expected: string, cause?: unknown): OnnxFormatError {
    return new OnnxFormatError({ field, offset: this.#offset, found, expected }, cause === undefined ? undefined : { cause })
  }
}

function emptyMessage(list: readonly Field[]): Target {
  const target: Target = {}
  // One shared empty list for all: most messages have many lists and fill few.
  for (const field of list) if (field.isRepeated) target[field.name] = NONE
  return target
}

function append(target: Target, name: string, value: unknown): void {
  const list = target[name]
  if (Array.isArray(list) && list !== NONE) list.push(value)
  else target[name] = [value]
}

function isTarget(value: unknown): value is Target {
  return typeof value === 'object' && value !== null
}

function shorten(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}
