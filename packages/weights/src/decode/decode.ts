import { ArgumentError } from '@foretoken/tensor'
import { bytesOf, elementsOf, layoutOf } from '../encoding.ts'
import { UnsupportedEncodingError } from '../errors.ts'
import type { StoredTensor, TensorInfo } from '../weight-store.ts'
import { type BlockCodec, blockCodec, roomFor, type UnpackedBlocks } from './block-codec.ts'
import { elementDecoder } from './plain-elements.ts'

/** Elements that are taken apart at a time: small enough to stay in the cache between the two passes. */
const CHUNK_ELEMENTS = 4096

/**
 * The elements of a tensor as float32, for every encoding that a store can hold except complex numbers.
 * Block encodings give the same bits as the reference (the Python package `gguf`); F64 and wide integers are rounded to the nearest.
 *
 * @returns [product of `stored.shape`] row-major; the caller's own
 * @throws {UnsupportedEncodingError} for C64, which one float32 per element cannot hold
 * @throws {ArgumentError} when there are fewer bytes than the shape needs
 */
export function decodeToFloat32(stored: StoredTensor): Float32Array {
  const elements = checkedElements(stored)
  const values = new Float32Array(elements)
  elementReader(stored.info)(stored.bytes, 0, elements, values, 0)
  return values
}

/** The number of elements that a stored tensor holds, after checking it against its bytes. */
export function checkedElements({ info, shape, bytes }: StoredTensor): number {
  const elements = elementsOf(shape)
  const needed = elements === undefined ? undefined : bytesOf(info.encoding, elements)
  if (elements === undefined || needed === undefined || needed !== bytes.byteLength) {
    throw new ArgumentError({
      file: info.file,
      tensor: info.name,
      found: `${bytes.byteLength} bytes for shape [${shape.join(', ')}] in ${info.encoding}`,
      expected: needed === undefined ? 'a shape of whole blocks' : `${needed} bytes`,
    })
  }
  return elements
}

/**
 * A function that decodes a run of elements. `first` and `count` are multiples of the encoding's block.
 *
 * @throws {UnsupportedEncodingError} for C64
 */
export function elementReader(info: TensorInfo): (bytes: Uint8Array, first: number, count: number, out: Float32Array, to: number) => void {
  const plain = elementDecoder(info.encoding)
  if (plain !== undefined) return plain
  const codec = blockCodec(info.encoding)
  if (codec === undefined) {
    throw new UnsupportedEncodingError({
      file: info.file,
      tensor: info.name,
      found: info.encoding,
      expected: 'an encoding of real numbers',
    })
  }
  const room = roomFor(codec, CHUNK_ELEMENTS)
  const layout = layoutOf(info.encoding)
  return (bytes, first, count, out, to) => {
    for (let done = 0; done < count; done += CHUNK_ELEMENTS) {
      const elements = Math.min(CHUNK_ELEMENTS, count - done)
      codec.unpack(bytes, ((first + done) / layout.elements) * layout.bytes, elements / layout.elements, room)
      multiplyOut(codec, room, elements, out, to + done)
    }
  }
}

/** `scale * quant + minimum`, the product rounded to float32 before the addition. */
function multiplyOut(
  { groupSize, hasMinima }: BlockCodec,
  { quants, scales, minima }: UnpackedBlocks,
  elements: number,
  out: Float32Array,
  to: number,
): void {
  for (let group = 0, i = 0; i < elements; group++) {
    const scale = scales[group] ?? 0
    const end = i + groupSize
    if (hasMinima) {
      const minimum = minima[group] ?? 0
      for (; i < end; i++) out[to + i] = Math.fround(scale * (quants[i] ?? 0)) + minimum
    } else {
      for (; i < end; i++) out[to + i] = scale * (quants[i] ?? 0)
    }
  }
}
