import { replaceMatches } from '../normalizers/replace.ts'
import type { TextPattern } from '../patterns/text-pattern.ts'
import { type Decoder, tokenDecoder } from './decoder.ts'

/** `Replace`: writes `content` for every match in a token. */
export function replaceDecoder(pattern: TextPattern, content: string): Decoder {
  return tokenDecoder((token) => replaceMatches(pattern, token, content))
}
