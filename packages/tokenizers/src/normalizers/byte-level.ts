import { toByteCharacters } from '../byte-alphabet.ts'
import type { Normalizer } from './normalizer.ts'

/** `ByteLevel`: writes the whole text in the byte alphabet. */
export function byteLevelNormalizer(): Normalizer {
  return { normalize: toByteCharacters }
}
