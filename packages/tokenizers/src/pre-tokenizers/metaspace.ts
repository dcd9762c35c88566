import type { PreTokenizer } from './pre-tokenizer.ts'

export type PrependScheme = 'always' | 'first' | 'never'

export interface MetaspaceOptions {
  readonly replacement: string
  /** Where to write a replacement before a piece that has none: everywhere, only where the input begins, nowhere. */
  readonly prependScheme: PrependScheme
  /** Whether each replacement begins a new piece. */
  readonly split: boolean
}

/** `Metaspace`: SentencePiece's spaces, written as visible characters ('▁') that belong to the word that follows. */
export function metaspacePreTokenizer({ replacement, prependScheme, split }: MetaspaceOptions): PreTokenizer {
  return {
    split({ text, start }, pieces) {
      let written = text.replaceAll(' ', replacement)
      const prepends = prependScheme === 'always' || (prependScheme === 'first' && start === 0)
      const isPrepended = prepends && !written.startsWith(replacement)
      if (isPrepended) written = replacement + written
      if (!split) {
        pieces.push({ text: written, start })
        return
      }
      const added = isPrepended ? replacement.length : 0
      for (let from = 0; from < written.length; ) {
        const next = written.indexOf(replacement, written.startsWith(replacement, from) ? from + replacement.length : from)
        const end = next < 0 ? written.length : next
        pieces.push({ text: written.slice(from, end), start: start + Math.max(0, from - added) })
        from = end
      }
    },
  }
}
