import type { StoredTensor, TensorEncoding } from '@foretoken/weights'

/** Bytes as a store would return them. */
export function storedTensor(encoding: TensorEncoding, shape: readonly number[], bytes: Uint8Array, name = 'w'): StoredTensor {
  return { info: { name, encoding, shape, byteLength: bytes.byteLength, file: 'test.gguf' }, shape, bytes }
}

export function storedFloats(values: Float32Array, shape: readonly number[], name = 'w'): StoredTensor {
  return storedTensor('F32', shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), name)
}
