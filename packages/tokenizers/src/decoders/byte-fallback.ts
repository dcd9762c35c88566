import { byteOfToken } from '../models/byte-tokens.ts'
import { type Decoder, wholeTokens } from './decoder.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * `ByteFallback`: runs of tokens like `<0xE2>` as UTF-8. A run that is not valid UTF-8 becomes one U+FFFD for each of its bytes, all of
 * them, so nothing of a run is certain before it ends.
 */
export function byteFallbackDecoder(): Decoder {
  return {
    expand(token) {
      const byte = byteOfToken(token)
      return byte < 0 ? token : Uint8Array.of(byte)
    },
    start(next) {
      let run: number[] = []
      const close = () => {
        const bytes = run
        if (bytes.length === 0) return
        run = []
        const text = decodeStrictly(Uint8Array.from(bytes))
        if (text !== undefined) next.push(text, true, true)
        else for (let i = 0; i < bytes.length; i++) next.push('\ufffd', true, true)
      }
      const handle = (token: string) => {
        const byte = byteOfToken(token)
        if (byte >= 0) {
          run.push(byte)
          return
        }
        close()
        next.push(token, true, true)
      }
      return wholeTokens(next, handle, close)
    },
  }
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}
