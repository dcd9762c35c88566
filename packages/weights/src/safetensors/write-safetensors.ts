import { ArgumentError } from '@foretoken/tensor'
import { checkTensorsToWrite, type TensorToWrite } from '../tensor-to-write.ts'
import { isSafetensorsDtype } from './header.ts'

/** The header is filled up with spaces so that the data start at a multiple of this. */
const ALIGNMENT = 8

/**
 * A safetensors file as pieces in their order: the header, then the bytes of the tensors as they were given (not copied). A Blob takes such a list, a file is
 * written piece by piece.
 *
 * @param metadata  strings for `__metadata__`
 * @throws {ArgumentError} when names repeat, an encoding is not one of safetensors, or bytes do not fit a shape
 */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: ReadonlyMap<string, string> = new Map(),
): readonly Uint8Array[] {
  checkTensorsToWrite(tensors)
  const fields: string[] = []
  if (metadata.size > 0) {
    const strings = [...metadata].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
    fields.push(`"__metadata__":{${strings.join(',')}}`)
  }
  let begin = 0
  for (const { name, encoding, shape, bytes } of tensors) {
    if (!isSafetensorsDtype(encoding))
      throw new ArgumentError({ tensor: name, found: encoding, expected: 'an encoding that safetensors has' })
    if (name === '__metadata__') throw new ArgumentError({ tensor: name, found: 'a reserved name', expected: 'another one' })
    const end = begin + bytes.byteLength
    fields.push(`${JSON.stringify(name)}:{"dtype":"${encoding}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`)
    begin = end
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`)
  const headerBytes = Math.ceil(json.byteLength / ALIGNMENT) * ALIGNMENT
  const header = new Uint8Array(8 + headerBytes).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true)
  header.set(json, 8)
  return [header, ...tensors.map(({ bytes }) => bytes)]
}
