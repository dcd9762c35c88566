/**
 * Bytes that are fetched when they are read. onnxruntime-web takes external data as a `Uint8Array`, asks for its length, and copies one tensor after the
 * other out of it into its heap, by `subarray` and once for each tensor that names the range (looked up in 1.30, in all its builds). An array that answers
 * both by itself therefore never has to exist as a whole, and has no limit of 2 GB.
 */

/**
 * @param byteLength  at most 2^32: offsets are unsigned 32-bit integers there
 * @param read        the bytes [offset, offset + length), at once; what it throws ends the opening of the session
 */
export function lazyBytes(byteLength: number, read: (offset: number, length: number) => Uint8Array): Uint8Array {
  return Object.defineProperties(new Uint8Array(0), {
    byteLength: { value: byteLength },
    length: { value: byteLength },
    subarray: { value: (start: number, end: number) => read(start, end - start) },
  })
}
