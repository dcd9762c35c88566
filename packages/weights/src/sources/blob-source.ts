import { DisposedError } from '@foretoken/tensor'
import { FileError } from '../errors.ts'
import { type ByteSource, checkRange } from './byte-source.ts'

/** A Blob or a File that a user chose; only the parts that are read come into memory. */
export function blobSource(blob: Blob, name?: string): ByteSource {
  const source = { name: name ?? nameOf(blob), byteLength: blob.size }
  let isDisposed = false
  return {
    ...source,
    async read(offset, length, options) {
      options?.signal?.throwIfAborted()
      if (isDisposed) throw new DisposedError({ file: source.name, found: 'a read after disposal', expected: 'a source that is open' })
      checkRange(source, offset, length)
      const buffer = await blob
        .slice(offset, offset + length)
        .arrayBuffer()
        .catch((cause: unknown) => {
          throw new FileError(
            { file: source.name, offset, found: 'a file that can no longer be read', expected: 'readable bytes' },
            { cause },
          )
        })
      options?.signal?.throwIfAborted()
      if (buffer.byteLength !== length) {
        throw new FileError({ file: source.name, offset, found: `${buffer.byteLength} bytes`, expected: `${length} bytes` })
      }
      return new Uint8Array(buffer)
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true
    },
  }
}

function nameOf(blob: Blob): string {
  return 'name' in blob && typeof blob.name === 'string' && blob.name !== '' ? blob.name : 'blob'
}
