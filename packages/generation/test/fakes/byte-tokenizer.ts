/**
 * A tokenizer whose tokens are the bytes of UTF-8, so a character of several bytes spans tokens. Ids from 256 on are special:
 * `<end>`, `<user>`, `<model>`. Its chat template writes `<user>content<end>` and `<model>content<end>`.
 */
import type { ChatMessage, Tokenizer } from '@foretoken/tokenizers'

export const END = 256
const USER = 257
const MODEL = 258
const SPECIAL = ['<end>', '<user>', '<model>']

export function byteTokenizer({ hasChatTemplate = true } = {}): Tokenizer {
  const encode = (text: string) => Int32Array.from(new TextEncoder().encode(text))
  const stream: Tokenizer['stream'] = ({ skipSpecialTokens = false } = {}) => {
    const decoder = new TextDecoder()
    return {
      push(id) {
        if (id < 256) return decoder.decode(Uint8Array.of(id), { stream: true })
        return decoder.decode() + (skipSpecialTokens ? '' : (SPECIAL[id - 256] ?? ''))
      },
      flush: () => decoder.decode(),
    }
  }
  const encodeMessages = (
    messages: readonly ChatMessage[],
    options: { addGenerationPrompt?: boolean; continueFinalMessage?: boolean } = {},
  ) => {
    const ids = messages.flatMap(({ role, content }, i) => [
      role === 'user' ? USER : MODEL,
      ...encode(String(content)),
      ...(options.continueFinalMessage && i === messages.length - 1 ? [] : [END]),
    ])
    return Int32Array.from(options.addGenerationPrompt ? [...ids, MODEL] : ids)
  }
  return {
    vocabularySize: 259,
    encode,
    decode(ids, options) {
      const decoder = stream(options)
      return Array.from(ids, (id) => decoder.push(id)).join('') + decoder.flush()
    },
    stream,
    tokenOf: (id) => (id < 256 ? String.fromCharCode(id) : SPECIAL[id - 256]),
    idOf: (token) => (SPECIAL.includes(token) ? 256 + SPECIAL.indexOf(token) : token.charCodeAt(0)),
    specialTokens: { endOfText: [END] },
    isSpecial: (id) => id >= 256,
    ...(hasChatTemplate ? { chatTemplate: { render: () => '', encode: encodeMessages } } : {}),
  }
}
