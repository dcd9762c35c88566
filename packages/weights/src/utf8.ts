/**
 * UTF-8 as file formats use it: invalid bytes are found, never replaced, and a byte order mark is a character like any other
 * (vocabularies contain it as a token).
 */
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const CHUNK_BYTES = 64 * 1024

/** @returns the text, or undefined when the bytes are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return DECODER.decode(bytes)
  } catch {
    return undefined
  }
}

/** Index of the byte at which the bytes stop being UTF-8; their length when only the end of a character is missing. */
export function firstInvalidByte(bytes: Uint8Array): number {
  const start = validPrefix(bytes, 0, CHUNK_BYTES)
  return validPrefix(bytes, start, 1)
}

/** How many bytes decode in pieces of `step` bytes; the first `known` are sound and are fed in one piece. */
function validPrefix(bytes: Uint8Array, known: number, step: number): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let valid = known
  try {
    decoder.decode(bytes.subarray(0, known), { stream: true })
    for (let position = known; position < bytes.length; position += step) {
      valid = position
      decoder.decode(bytes.subarray(position, position + step), { stream: true })
    }
  } catch {
    return valid
  }
  return bytes.length
}
