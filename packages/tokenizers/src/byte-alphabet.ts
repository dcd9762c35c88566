/**
 * The printable alphabet of byte-level vocabularies: each of the 256 bytes is written as one character, printable Latin-1
 * as itself and the other 68 bytes, in order, as U+0100 and following (a space becomes 'Ġ'). From GPT-2 (Radford et al. 2019).
 */
const isPrintable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174

/** [256] the character of each byte. */
export const BYTE_CHARACTERS: readonly string[] = makeCharacters()

/** The byte of a UTF-16 code unit, or -1 outside of the alphabet. */
function byteOfCharacter(codeUnit: number): number {
  return codeUnit < CHARACTER_BYTES.length ? (CHARACTER_BYTES[codeUnit] ?? -1) : -1
}

/** The UTF-8 bytes of a well-formed text, written in the alphabet. */
export function toByteCharacters(text: string): string {
  let written = ''
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return written + encodeCharacters(text.slice(i))
    written += BYTE_CHARACTERS[code]
  }
  return written
}

/** The bytes that a token stands for; undefined when it has a character outside of the alphabet. */
export function fromByteCharacters(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfCharacter(token.charCodeAt(i))
    if (byte < 0) return undefined
    bytes[i] = byte
  }
  return bytes
}

const encoder = new TextEncoder()

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

function encodeCharacters(text: string): string {
  const bytes = encoder.encode(text)
  let written = ''
  for (let i = 0; i < bytes.length; i++) written += BYTE_CHARACTERS[bytes[i] ?? 0]
  return written
}

function makeCharacters(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++))
}

const CHARACTER_BYTES = makeBytes()

function makeBytes(): Int16Array {
  const bytes = new Int16Array(512).fill(-1)
  for (let byte = 0; byte < 256; byte++) bytes[(BYTE_CHARACTERS[byte] ?? '').charCodeAt(0)] = byte
  return bytes
}
