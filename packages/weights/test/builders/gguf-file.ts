import { joined, longText, text, uint32, uint64 } from './little-endian.ts'

export interface GgufTensor {
  readonly name: string
  /** In the order of the file: fastest first. */
  readonly dimensions: readonly bigint[]
  /** What the file claims the number of dimensions to be. */
  readonly dimensionCount?: number
  readonly type: number
  readonly offset: bigint
}

export interface GgufParts {
  readonly magic?: string
  readonly version?: number
  readonly tensorCount?: bigint
  readonly entryCount?: bigint
  /** Entries as bytes: see `metadataEntry`. */
  readonly metadata?: readonly Uint8Array[]
  readonly tensors?: readonly GgufTensor[]
  readonly alignment?: number
  readonly data?: Uint8Array
}

export const VALUE = { uint8: 0, uint16: 2, uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9, uint64: 10 } as const
export const TYPE = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 8, I8: 24 } as const

/** A file of these parts, sound or not. */
export function ggufFile(parts: GgufParts): Uint8Array {
  const { magic = 'GGUF', version = 3, metadata = [], tensors = [], alignment = 32, data = new Uint8Array(0) } = parts
  const header = joined(
    text(magic),
    uint32(version),
    uint64(parts.tensorCount ?? BigInt(tensors.length), parts.entryCount ?? BigInt(metadata.length)),
    ...metadata,
    ...tensors.map(({ name, dimensions, dimensionCount, type, offset }) =>
      joined(longText(name), uint32(dimensionCount ?? dimensions.length), uint64(...dimensions), uint32(type), uint64(offset)),
    ),
  )
  const padding = (alignment - (header.byteLength % alignment)) % alignment
  return data.byteLength === 0 ? header : joined(header, new Uint8Array(padding), data)
}

export function metadataEntry(key: string, type: number, value: Uint8Array): Uint8Array {
  return joined(longText(key), uint32(type), value)
}

export function stringEntry(key: string, value: string): Uint8Array {
  return metadataEntry(key, VALUE.string, longText(value))
}

export function stringsEntry(key: string, values: readonly string[]): Uint8Array {
  return metadataEntry(key, VALUE.array, joined(uint32(VALUE.string), uint64(BigInt(values.length)), ...values.map(longText)))
}

export function uint32Entry(key: string, value: number): Uint8Array {
  return metadataEntry(key, VALUE.uint32, uint32(value))
}

/** A small sound file: two tensors that fill whole multiples of the alignment, so that every byte of it is needed. */
export function soundGguf(): Uint8Array {
  return ggufFile({
    metadata: [stringEntry('general.architecture', 'llama'), uint32Entry('llama.block_count', 1), stringsEntry('tokens', ['a', 'ß', ''])],
    tensors: [
      { name: 'a', dimensions: [4n, 2n], type: TYPE.F32, offset: 0n },
      { name: 'b', dimensions: [32n], type: TYPE.I8, offset: 32n },
    ],
    data: new Uint8Array(64).map((_, index) => index),
  })
}
