import { DisposedError } from '@foretoken/tensor'
import { type ByteSource, checkRange } from './byte-source.ts'

/** Bytes that are in memory already; reads are views, nothing is copied. */
export function bytesSource(bytes: Uint8Array, name = 'bytes'): ByteSource {
  let isDisposed = false
  return {
    name,
    byteLength: bytes.byteLength,
    async read(offset, length, options) {
      options?.signal?.throwIfAborted()
      if (isDisposed) throw new DisposedError({ file: name, found: 'a read after disposal', expected: 'a source that is open' })
      checkRange({ name, byteLength: bytes.byteLength }, offset, length)
      return bytes.subarray(offset, offset + length)
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true
    },
  }
}
