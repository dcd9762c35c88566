import { fromByteCharacters, utf8Bytes } from '../byte-alphabet.ts'
import { type Decoder, wholeTokens } from './decoder.ts'
import { makeUtf8Stream } from './utf8-stream.ts'

/**
 * `ByteLevel`: the bytes behind the byte alphabet, all tokens together read as UTF-8. A token with a character outside of the alphabet,
 * which only an added token can be, stands for its own text.
 */
export function byteLevelDecoder(): Decoder {
  return {
    expand: bytesOf,
    start(next) {
      const utf8 = makeUtf8Stream()
      let hasBegun = false
      const emit = (text: string) => {
        if (text === '') return
        next.push(text, !hasBegun, false)
        hasBegun = true
      }
      return wholeTokens(
        next,
        (token) => emit(utf8.push(bytesOf(token))),
        () => emit(utf8.flush()),
      )
    },
  }
}

function bytesOf(token: string): Uint8Array {
  return fromByteCharacters(token) ?? utf8Bytes(token)
}
