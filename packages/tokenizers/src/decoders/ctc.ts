import { type Decoder, wholeTokens } from './decoder.ts'
import { cleanUp } from './word-piece.ts'

export interface CtcOptions {
  readonly padToken: string
  readonly wordDelimiter: string
  readonly cleanup: boolean
}

/** `CTC`: the output of connectionist temporal classification; repeats count once, padding separates repeats that count twice. */
export function ctcDecoder({ padToken, wordDelimiter, cleanup }: CtcOptions): Decoder {
  return {
    start(next) {
      let last: string | undefined
      return wholeTokens(next, (token) => {
        if (token === last) return
        last = token
        const text = token.replaceAll(padToken, '')
        const cleaned = cleanup ? cleanUp(text).replaceAll(wordDelimiter, ' ') : text
        if (cleaned !== '') next.push(cleaned, true, true)
      })
    },
  }
}
