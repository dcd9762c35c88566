import type { Normalizer } from './normalizer.ts'

/** `NFC`, `NFD`, `NFKC`, `NFKD`: Unicode's normalisation forms. */
export function unicodeFormNormalizer(form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): Normalizer {
  return { normalize: (text) => text.normalize(form) }
}
