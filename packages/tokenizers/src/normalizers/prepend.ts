import type { Normalizer } from './normalizer.ts'

/** `Prepend`: writes something before every text that is not empty. */
export function prependNormalizer(prefix: string): Normalizer {
  return { normalize: (text) => (text === '' ? '' : prefix + text) }
}
