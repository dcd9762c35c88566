import type { Decoder, TokenSink } from './decoder.ts'

export interface StripOptions {
  /** The character to remove. */
  readonly content: string
  /** At most so many at the start of each token. */
  readonly start: number
  /** At most so many at its end. */
  readonly stop: number
}

/** `Strip`: removes a character from the ends of each token. Works on parts, since the token may be a whole fused text. */
export function stripDecoder({ content, start, stop }: StripOptions): Decoder {
  return {
    start(next): TokenSink {
      let toCut = 0
      // Characters at the end that go if the token ends here, at most `stop` of them.
      let held = ''
      let isOpen = false
      let mustBegin = false
      const emit = (text: string, ends: boolean) => {
        if (text === '' && !ends && !mustBegin) return
        next.push(text, mustBegin, ends)
        mustBegin = false
      }
      const close = () => {
        if (isOpen) emit('', true)
        isOpen = false
        held = ''
      }
      return {
        push(text, begins, ends) {
          if (begins) {
            close()
            toCut = start
            mustBegin = true
            isOpen = true
          }
          let rest = text
          while (toCut > 0 && rest.startsWith(content)) {
            rest = rest.slice(content.length)
            toCut--
          }
          if (rest !== '') toCut = 0
          const all = held + rest
          const kept = all.length - trailing(all)
          held = all.slice(kept)
          emit(all.slice(0, kept), false)
          if (ends) close()
        },
        finish() {
          close()
          next.finish()
        },
      }
    },
  }
  /** Length of the run of `content` at the end, of at most `stop` of them. */
  function trailing(text: string): number {
    let length = 0
    for (let i = 0; i < stop && text.endsWith(content, text.length - length); i++) length += content.length
    return length
  }
}
