/** Tokens as a reader of the vocabulary sees them, with the bytes that each adds. */
import type { Tokenizer } from '@foretoken/tokenizers'
import type { TokenView } from '../hosted-tokenizer.ts'

const NO_BYTES = new Uint8Array(0)

export function viewTokens(tokenizer: Tokenizer, ids: ArrayLike<number>): TokenView[] {
  const views: TokenView[] = []
  let from = 0
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? -1
    const token = tokenizer.tokenOf(id)
    const bytes = bytesOf(tokenizer, id)
    const to = from + bytes.byteLength
    views.push({ id, ...(token === undefined ? {} : { token }), isSpecial: tokenizer.isSpecial(id), bytes, from, to })
    from = to
  }
  return views
}

/** Tokenizers of `@foretoken/tokenizers` know their bytes; of another the text of the token alone is all there is. */
function bytesOf(tokenizer: Tokenizer, id: number): Uint8Array {
  const exact = 'tokenBytes' in tokenizer && typeof tokenizer.tokenBytes === 'function' ? tokenizer.tokenBytes(id) : undefined
  if (exact instanceof Uint8Array) return exact.slice()
  return tokenizer.tokenOf(id) === undefined ? NO_BYTES : new TextEncoder().encode(tokenizer.decode([id]))
}
