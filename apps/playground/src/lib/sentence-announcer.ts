/**
 * What a screen reader is told while an answer streams: whole sentences, and not more often than they can be spoken. Reading out every token
 * would be noise, and reading out only the end would be silence.
 */
const SENTENCE_END = /[.!?。!?…:]["'”’)\]]*\s|\n/g
/** Shorter sentences wait for the next one. */
const LEAST_CHARACTERS = 40

export interface SentenceAnnouncer {
  /** @returns  what can be read out, or an empty string */
  push(text: string): string
  /** @returns  the rest */
  flush(): string
}

export function sentenceAnnouncer(): SentenceAnnouncer {
  let waiting = ''
  return {
    push(text) {
      waiting += text
      let end = 0
      for (const match of waiting.matchAll(SENTENCE_END)) end = match.index + match[0].length
      if (end < LEAST_CHARACTERS) return ''
      const said = waiting.slice(0, end).trim()
      waiting = waiting.slice(end)
      return said
    },
    flush() {
      const rest = waiting.trim()
      waiting = ''
      return rest
    },
  }
}
