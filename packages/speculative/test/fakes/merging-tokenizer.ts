/** A tokenizer of the bytes of UTF-8 and of some longer strings, the longest of which is taken everywhere. */
import type { Tokenizer } from '@foretoken/tokenizers'

/** @param strings  ids from 256 on */
export function mergingTokenizer(strings: readonly string[] = []): Tokenizer {
  const encoder = new TextEncoder()
  const byLength = strings.map((text, i) => ({ text, id: 256 + i })).sort((a, b) => b.text.length - a.text.length)
  const bytesOf = (id: number): Uint8Array => (id < 256 ? Uint8Array.of(id) : encoder.encode(strings[id - 256] ?? ''))
  const encode = (text: string): Int32Array => {
    const ids: number[] = []
    for (let at = 0; at < text.length; ) {
      const found = byLength.find((each) => text.startsWith(each.text, at))
      const part = found?.text ?? String.fromCodePoint(text.codePointAt(at) ?? 0)
      ids.push(...(found === undefined ? encoder.encode(part) : [found.id]))
      at += part.length
    }
    return Int32Array.from(ids)
  }
  const stream = () => {
    const decoder = new TextDecoder()
    return { push: (id: number) => decoder.decode(bytesOf(id), { stream: true }), flush: () => decoder.decode() }
  }
  return {
    vocabularySize: 256 + strings.length,
    encode,
    decode(ids) {
      const decoder = stream()
      return Array.from(ids, (id) => decoder.push(id)).join('') + decoder.flush()
    },
    stream,
    tokenOf: (id) => (id < 256 ? String.fromCharCode(id) : strings[id - 256]),
    idOf: (token) => encode(token)[0],
    specialTokens: { endOfText: [] },
    isSpecial: () => false,
  }
}
