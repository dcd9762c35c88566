import { ArgumentError } from '@foretoken/tensor'
import { bytesOf, elementsOf } from './encoding.ts'
import type { TensorEncoding } from './weight-store.ts'

/** A tensor that is to be written into a file, already in its encoding. */
export interface TensorToWrite {
  readonly name: string
  readonly encoding: TensorEncoding
  /** Row-major, slowest first, as in `TensorInfo`. */
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** Refuses what a reader would refuse: names that repeat or are empty, and bytes that do not fit shape and encoding. */
export function checkTensorsToWrite(tensors: readonly TensorToWrite[]): void {
  const names = new Set<string>()
  for (const { name, encoding, shape, bytes } of tensors) {
    if (name === '' || names.has(name))
      throw new ArgumentError({ tensor: name, found: 'a name that is empty or there twice', expected: 'different names' })
    names.add(name)
    const elements = elementsOf(shape)
    const needed = elements === undefined ? undefined : bytesOf(encoding, elements)
    if (needed === bytes.byteLength) continue
    throw new ArgumentError({
      tensor: name,
      found: `${bytes.byteLength} bytes`,
      expected: `${needed} bytes for shape [${shape.join(', ')}] in ${encoding}`,
    })
  }
}
