/** Which buffers a message gives away instead of copying them. */

/** The same bytes in a buffer of their own: as they are where they fill it, otherwise a copy. */
export function movable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength ? new Uint8Array(buffer) : Uint8Array.from(bytes)
}

/** Buffers that the top level of a value fills with typed arrays, each once. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  const parts = ArrayBuffer.isView(value) ? [value] : typeof value === 'object' && value !== null ? Object.values(value) : []
  for (const part of parts) {
    if (ArrayBuffer.isView(part) && part.buffer instanceof ArrayBuffer && part.byteLength === part.buffer.byteLength)
      buffers.add(part.buffer)
  }
  return [...buffers]
}
