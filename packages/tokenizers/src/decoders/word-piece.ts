import { type Decoder, tokenDecoder } from './decoder.ts'

/** `WordPiece`: continuations are glued to what precedes them, other tokens follow a space. */
export function wordPieceDecoder({ prefix, cleanup }: { prefix: string; cleanup: boolean }): Decoder {
  const rewrite = (token: string, index: number) => {
    const glued = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
    const text = index === 0 ? token : glued
    return cleanup ? cleanUp(text) : text
  }
  return tokenDecoder(rewrite, (token) => (token.startsWith(prefix) ? token.slice(prefix.length) : token))
}

const CLEANED: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
]

/** Takes away the spaces that English does not write before punctuation and contractions; also what the reference does to "do not". */
export function cleanUp(text: string): string {
  let cleaned = text
  for (const [from, to] of CLEANED) cleaned = cleaned.replaceAll(from, to)
  return cleaned
}
