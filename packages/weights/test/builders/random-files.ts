/** Sound files with random contents, for property tests: what was put in, and the bytes. */
import fc from 'fast-check'
import { ggufFile, metadataEntry, TYPE, VALUE } from './gguf-file.ts'
import { float32, joined, longText, uint8, uint32, uint64 } from './little-endian.ts'
import { entry, safetensorsFile } from './safetensors-file.ts'

export interface RandomTensor {
  readonly name: string
  readonly encoding: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

export interface RandomFile {
  readonly tensors: readonly RandomTensor[]
  readonly metadata: ReadonlyMap<string, unknown>
  readonly bytes: Uint8Array
}

const name = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => text !== '__metadata__' && text.isWellFormed())

const SAFETENSORS_BYTES = { U8: 1, I8: 1, BOOL: 1, F8_E4M3: 1, F16: 2, BF16: 2, I16: 2, F32: 4, I32: 4, F64: 8, I64: 8, C64: 8 }

function tensorOf(widths: Readonly<Record<string, number>>, leastDimensions: number, leastSize: number): fc.Arbitrary<RandomTensor> {
  const shape = fc.array(fc.integer({ min: leastSize, max: 4 }), { minLength: leastDimensions, maxLength: 3 })
  return fc
    .record({ name, encoding: fc.constantFrom(...Object.keys(widths)), shape, fill: fc.integer({ min: 0, max: 255 }) })
    .map(({ fill, ...tensor }) => {
      const elements = tensor.shape.reduce((product, size) => product * size, 1)
      return { ...tensor, bytes: new Uint8Array(elements * (widths[tensor.encoding] ?? 0)).map((_, index) => (fill + index) & 255) }
    })
}

function tensors(widths: Readonly<Record<string, number>>, leastDimensions: number, leastSize: number) {
  return fc.uniqueArray(tensorOf(widths, leastDimensions, leastSize), { selector: (tensor) => tensor.name, maxLength: 5 })
}

export const randomSafetensors: fc.Arbitrary<RandomFile> = fc
  .record({ tensors: tensors(SAFETENSORS_BYTES, 0, 0), metadata: fc.array(fc.tuple(name, fc.string({ unit: 'grapheme' }))) })
  .map(({ tensors, metadata }) => {
    const header: [string, unknown][] = []
    let begin = 0
    for (const { name, encoding, shape, bytes } of tensors) {
      header.push([name, entry(encoding, shape, begin, begin + bytes.byteLength)])
      begin += bytes.byteLength
    }
    const strings = new Map(metadata)
    const text = `{${[['__metadata__', toObject(strings)] as const, ...header].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`
    return { tensors, metadata: strings, bytes: safetensorsFile({ header: text, data: joined(...tensors.map(({ bytes }) => bytes)) }) }
  })

/** Own properties only, `__proto__` included. */
function toObject(strings: ReadonlyMap<string, string>): unknown {
  return Object.fromEntries(strings)
}

/** A metadata value, its type and its bytes. */
interface Value {
  readonly type: number
  readonly value: unknown
  readonly bytes: Uint8Array
}

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.nat(255).map((value) => ({ type: VALUE.uint8, value, bytes: uint8(value) })),
  fc.nat(0xffffffff).map((value) => ({ type: VALUE.uint32, value, bytes: uint32(value) })),
  fc.float({ noNaN: true }).map((value) => ({ type: VALUE.float32, value, bytes: float32(value) })),
  fc.boolean().map((value) => ({ type: VALUE.bool, value, bytes: uint8(value ? 1 : 0) })),
  fc.string({ unit: 'grapheme' }).map((value) => ({ type: VALUE.string, value, bytes: longText(value) })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({ type: VALUE.uint64, value, bytes: uint64(value) })),
)

const value: fc.Arbitrary<Value> = fc.oneof(
  scalar,
  fc.tuple(scalar, fc.nat(3)).map(([one, count]) => ({
    type: VALUE.array,
    value: Array.from({ length: count }, () => one.value),
    bytes: joined(uint32(one.type), uint64(BigInt(count)), ...Array.from({ length: count }, () => one.bytes)),
  })),
)

export const randomGguf: fc.Arbitrary<RandomFile> = fc
  .record({
    tensors: tensors({ F32: 4, F16: 2, I8: 1 }, 1, 1),
    metadata: fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 4 }),
    version: fc.constantFrom(2, 3),
  })
  .map(({ tensors, metadata, version }) => {
    const types: Readonly<Record<string, number>> = TYPE
    let offset = 0
    const pieces: Uint8Array[] = []
    const listed = tensors.map(({ name, encoding, shape, bytes }) => {
      const padding = (32 - (bytes.byteLength % 32)) % 32
      const tensor = { name, dimensions: [...shape].reverse().map(BigInt), type: types[encoding] ?? 0, offset: BigInt(offset) }
      pieces.push(bytes, new Uint8Array(padding))
      offset += bytes.byteLength + padding
      return tensor
    })
    const entries = metadata.map(([key, { type, bytes }]) => metadataEntry(key, type, bytes))
    return {
      tensors,
      metadata: new Map(metadata.map(([key, { value }]) => [key, value])),
      bytes: ggufFile({ version, metadata: entries, tensors: listed, data: joined(...pieces) }),
    }
  })
