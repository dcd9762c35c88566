import { utf8Bytes } from '../byte-alphabet.ts'
import type { Vocabulary } from '../vocabulary.ts'

/** Tokens like `<0x0A>`, by which SentencePiece vocabularies write single bytes of what they have no piece for. */
export type ByteTokens = readonly (number | undefined)[]

/** [256] the id of each byte's token. */
export function byteTokensOf(vocabulary: Vocabulary): ByteTokens {
  return Array.from({ length: 256 }, (_, byte) => vocabulary.idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`))
}

/** Appends the byte tokens of a text; false, and nothing appended, when one of them is missing. */
export function appendByteTokens(tokens: ByteTokens, text: string, ids: number[]): boolean {
  const wanted: number[] = []
  for (const byte of utf8Bytes(text)) {
    const id = tokens[byte]
    if (id === undefined) return false
    wanted.push(id)
  }
  for (const id of wanted) ids.push(id)
  return true
}

/** The byte that a token like `<0x0A>` stands for, or -1. */
export function byteOfToken(token: string): number {
  return /^<0x[0-9a-fA-F]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : -1
}
