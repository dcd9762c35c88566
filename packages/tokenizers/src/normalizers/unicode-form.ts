import { AFTER_UNICODE_12 } from '../unicode-versions.ts'
import { orderLongMarkRuns } from './combining-flood.ts'
import type { Normalizer } from './normalizer.ts'

export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/** `NFC`, `NFD`, `NFKC`, `NFKD`: Unicode's normalisation forms. */
export function unicodeFormNormalizer(form: UnicodeForm): Normalizer {
  return { normalize: (text) => normalizeForm(text, form) }
}

const NEWER = new RegExp(`[${AFTER_UNICODE_12}]`, 'v')
const OLDER_RUNS = new RegExp(`[^${AFTER_UNICODE_12}]+`, 'gv')

/** Characters that the reference's version does not know stay as they are and separate what is around them. */
export function normalizeForm(text: string, form: UnicodeForm): string {
  if (!NEWER.test(text)) return orderLongMarkRuns(text).normalize(form)
  return text.replaceAll(OLDER_RUNS, (run) => orderLongMarkRuns(run).normalize(form))
}
