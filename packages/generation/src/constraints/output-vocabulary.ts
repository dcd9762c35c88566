import type { Tokenizer } from '@foretoken/tokenizers'
import type { OutputVocabulary } from './constraint.ts'

/** Makers of tokenizers that know the exact bytes of a token offer this beside the interface. */
interface KnowsBytes {
  tokenBytes(id: number): Uint8Array | undefined
}

/** Facts that hold for a tokenizer and every generation with it. */
const known = new WeakMap<Tokenizer, Map<string, OutputVocabulary>>()

/**
 * The tokens of an output and their bytes; the same object for the same arguments, so that what was computed for it is found again.
 *
 * @param size         logits per row
 * @param isContinued  whether the output goes on with the text of the prompt: its first token then keeps its space
 */
export function outputVocabulary(
  tokenizer: Tokenizer,
  size: number,
  stopTokens: ReadonlySet<number>,
  isContinued: boolean,
): OutputVocabulary {
  const bytesOf = (token: number) => (tokenizer.isSpecial(token) ? undefined : bytesOfToken(tokenizer, token))
  const dropsFirstSpace = !isContinued && dropsSpace(tokenizer, size)
  const key = [size, dropsFirstSpace, ...[...stopTokens].sort((a, b) => a - b)].join(' ')
  const ofTokenizer = known.get(tokenizer) ?? new Map<string, OutputVocabulary>()
  known.set(tokenizer, ofTokenizer)
  const vocabulary = ofTokenizer.get(key) ?? { size, stopTokens: new Set(stopTokens), dropsFirstSpace, bytesOf }
  ofTokenizer.set(key, vocabulary)
  return vocabulary
}

function bytesOfToken(tokenizer: Tokenizer, token: number): Uint8Array | undefined {
  if (knowsBytes(tokenizer)) return tokenizer.tokenBytes(token)
  if (tokenizer.tokenOf(token) === undefined) return undefined
  const text = tokenizer.decode([token])
  // half a character: its bytes cannot be told from its text
  return text.includes('\ufffd') ? undefined : new TextEncoder().encode(text)
}

function knowsBytes(tokenizer: Tokenizer): tokenizer is Tokenizer & KnowsBytes {
  return 'tokenBytes' in tokenizer && typeof tokenizer.tokenBytes === 'function'
}

/** Whether a decoder leaves out the space of its first token; asked of one token that has a space and a letter. */
function dropsSpace(tokenizer: Tokenizer, size: number): boolean {
  for (let token = 0; token < size; token++) {
    if (tokenizer.isSpecial(token)) continue
    const bytes = bytesOfToken(tokenizer, token)
    if (bytes?.[0] === 0x20 && (bytes[1] ?? 0) > 0x40 && (bytes[1] ?? 0) < 0x80) return !tokenizer.decode([token]).startsWith(' ')
  }
  return false
}
