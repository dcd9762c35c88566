import type { Decoder, TokenSink } from './decoder.ts'

/** `Fuse`: makes one token of all. */
export function fuseDecoder(): Decoder {
  return {
    start(next): TokenSink {
      let hasBegun = false
      return {
        push(text) {
          next.push(text, !hasBegun, false)
          hasBegun = true
        },
        finish: () => next.finish(),
      }
    },
  }
}

/** What happens without a decoder: tokens with spaces between them. */
export function joinWithSpaces(): Decoder {
  return {
    start(next) {
      let hasBegun = false
      return {
        push(text, begins) {
          next.push(begins && hasBegun ? ` ${text}` : text, !hasBegun, false)
          hasBegun = true
        },
        finish: () => next.finish(),
      }
    },
  }
}
