import { type Decoder, wholeTokens } from './decoder.ts'

/** `BPEDecoder`: the mark at the end of a word becomes a space, at the end of the text nothing. */
export function bpeDecoder(suffix: string): Decoder {
  return {
    expand: (token) => token.replaceAll(suffix, ' '),
    start(next) {
      let last: string | undefined
      const emit = (token: string, replacement: string) => next.push(token.replaceAll(suffix, replacement), true, true)
      const handle = (token: string) => {
        if (last !== undefined) emit(last, ' ')
        last = undefined
        if (token.includes(suffix)) last = token
        else next.push(token, true, true)
      }
      return wholeTokens(next, handle, () => {
        if (last !== undefined) emit(last, '')
      })
    },
  }
}
