import type { ByteSource } from '@foretoken/weights'

export interface WatchedSource extends ByteSource {
  /** Times that it was disposed of. */
  readonly disposals: () => number
  /** Bytes of all reads so far. */
  readonly readBytes: () => number
}

/** Bytes in memory that tell what was done with them. */
export function watchedSource(bytes: Uint8Array, name = 'test.bin'): WatchedSource {
  let disposals = 0
  let readBytes = 0
  return {
    name,
    byteLength: bytes.byteLength,
    disposals: () => disposals,
    readBytes: () => readBytes,
    async read(offset, length, options) {
      options?.signal?.throwIfAborted()
      if (offset < 0 || offset + length > bytes.byteLength) throw new RangeError(`a read of ${length} bytes at ${offset}`)
      readBytes += length
      return bytes.slice(offset, offset + length)
    },
    async [Symbol.asyncDispose]() {
      disposals++
    },
  }
}
