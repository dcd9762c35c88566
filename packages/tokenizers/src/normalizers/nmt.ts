import type { Normalizer } from './normalizer.ts'

/** `Nmt`: removes control characters and writes line breaks, zero-width and other odd spaces as a space. */
export function nmtNormalizer(): Normalizer {
  return { normalize: (text) => text.replaceAll(REMOVED, '').replaceAll(SPACES, ' ') }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
const REMOVED = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/g
const SPACES = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g
