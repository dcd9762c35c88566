import { ArgumentError } from '@foretoken/tensor'
import { checkTensorsToWrite, type TensorToWrite } from '../tensor-to-write.ts'
import { DEFAULT_ALIGNMENT } from './header.ts'
import { VALUE_TYPES } from './metadata.ts'
import { GGML_ENCODINGS } from './tensor-types.ts'

/** A metadata value with the type that it has in the file. */
export type GgufValue =
  | { readonly type: 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64'; readonly value: number }
  | { readonly type: 'uint64'; readonly value: bigint }
  | { readonly type: 'int64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  /** All values are of `elementType`. */
  | { readonly type: 'array'; readonly elementType: GgufValue['type']; readonly values: readonly GgufValue[] }

const GGML_TYPES: ReadonlyMap<string, number> = new Map([...GGML_ENCODINGS].map(([type, encoding]) => [encoding, type]))

/**
 * A GGUF file (version 3, little-endian) as pieces in their order: the header, then for each tensor its bytes as they were given (not copied) and the padding
 * after them.
 *
 * @throws {ArgumentError} when names repeat, an encoding is not one of GGUF, bytes do not fit a shape, or a value is not of its type
 */
export function writeGguf(tensors: readonly TensorToWrite[], metadata: ReadonlyMap<string, GgufValue> = new Map()): readonly Uint8Array[] {
  checkTensorsToWrite(tensors)
  const alignment = alignmentFrom(metadata)
  const writer = new HeaderWriter()
  writer.uint32(0x46554747)
  writer.uint32(3)
  writer.uint64(BigInt(tensors.length))
  writer.uint64(BigInt(metadata.size))
  for (const [key, value] of metadata) {
    writer.string(key)
    writer.uint32(VALUE_TYPES[value.type])
    writer.value(value, key)
  }
  const pieces: Uint8Array[] = []
  let offset = 0
  for (const { name, encoding, shape, bytes } of tensors) {
    const type = GGML_TYPES.get(encoding)
    if (type === undefined || shape.length < 1 || shape.length > 4) {
      throw new ArgumentError({
        tensor: name,
        found: `${encoding} with ${shape.length} dimensions`,
        expected: 'an encoding that GGUF has, with 1 to 4',
      })
    }
    writer.string(name)
    writer.uint32(shape.length)
    for (const dimension of [...shape].reverse()) writer.uint64(BigInt(dimension))
    writer.uint32(type)
    writer.uint64(BigInt(offset))
    const padding = paddingAfter(bytes.byteLength, alignment)
    pieces.push(bytes, new Uint8Array(padding))
    offset += bytes.byteLength + padding
  }
  const header = writer.finish()
  return [header, new Uint8Array(paddingAfter(header.byteLength, alignment)), ...pieces]
}

function alignmentFrom(metadata: ReadonlyMap<string, GgufValue>): number {
  const value = metadata.get('general.alignment')
  return value?.type === 'uint32' ? value.value : DEFAULT_ALIGNMENT
}

function paddingAfter(bytes: number, alignment: number): number {
  return (alignment - (bytes % alignment)) % alignment
}

const NUMBER_BYTES = { uint8: 1, int8: 1, uint16: 2, int16: 2, uint32: 4, int32: 4, float32: 4, float64: 8 } as const

/** Grows by doubling. */
class HeaderWriter {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  #position = 0

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#position)
  }

  uint32(value: number): void {
    const at = this.#room(4)
    this.#view.setUint32(at, value, true)
  }

  uint64(value: bigint): void {
    const at = this.#room(8)
    this.#view.setBigUint64(at, value, true)
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text)
    this.uint64(BigInt(bytes.byteLength))
    const at = this.#room(bytes.byteLength)
    this.#bytes.set(bytes, at)
  }

  value(value: GgufValue, key: string): void {
    if (value.type === 'array') this.#array(value, key)
    else if (value.type === 'string') this.string(value.value)
    else if (value.type === 'bool') this.#number('uint8', value.value ? 1 : 0)
    else if (value.type === 'uint64' || value.type === 'int64') this.uint64(BigInt.asUintN(64, value.value))
    else this.#number(value.type, value.value)
  }

  #array({ elementType, values }: Extract<GgufValue, { type: 'array' }>, key: string): void {
    this.uint32(VALUE_TYPES[elementType])
    this.uint64(BigInt(values.length))
    for (const value of values) {
      if (value.type !== elementType)
        throw new ArgumentError({ field: key, found: `an element of type ${value.type}`, expected: elementType })
      this.value(value, key)
    }
  }

  #number(type: keyof typeof NUMBER_BYTES, value: number): void {
    const bytes = NUMBER_BYTES[type]
    const at = this.#room(bytes)
    if (type === 'float32') this.#view.setFloat32(at, value, true)
    else if (type === 'float64') this.#view.setFloat64(at, value, true)
    else if (bytes === 1) this.#view.setUint8(at, value)
    else if (bytes === 2) this.#view.setUint16(at, value, true)
    else this.#view.setUint32(at, value, true)
  }

  /** Makes room for so many bytes and returns where they begin. */
  #room(bytes: number): number {
    const at = this.#position
    const end = at + bytes
    if (end > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.byteLength))
      grown.set(this.#bytes)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#position = end
    return at
  }
}
