import type { Normalizer } from './normalizer.ts'

/** `Lowercase`: each character by itself; JavaScript alone would write a capital sigma at the end of a word as a final one. */
export function lowercaseNormalizer(): Normalizer {
  return { normalize: lowercase }
}

export function lowercase(text: string): string {
  return text.replaceAll('Σ', 'σ').toLowerCase()
}
