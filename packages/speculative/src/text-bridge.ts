/**
 * Between the tokens of two tokenizers, by way of the text. One direction is the output in the draft's tokens: text is encoded as it comes, and what lies
 * some way back is settled, so that a long output is not encoded again at each step. The other is a drafted text in the target's tokens: encoded together
 * with the end of the output, because tokens merge over the border; where that would change tokens which are already output, encoded by itself.
 *
 * A character of which the target has output a part is not text yet. A draft that begins with that character gives the tokens which complete it.
 */
import type { Tokenizer } from '@foretoken/tokenizers'

/** Characters that are encoded anew at each step, and how many more settle the ones before them. */
const UNSETTLED = 128
const SETTLE_AT = 512
/** Tokens of the output that a drafted text is encoded with. */
const TAIL = 24
/** Stands before a text where its beginning is not the beginning: some tokenizers put a space there. */
const ANCHOR = '\n'

/** An output in the tokens of another tokenizer. */
export interface BridgedOutput {
  /** Reads what is new. */
  read(tokens: Int32Array): void
  /** [tokens] of the draft's tokenizer: the whole text. At least one, where the text or its beginning gives any. */
  ids(): Int32Array
  /** Whether the last tokens are a part of a character. */
  readonly hasPartialCharacter: boolean
}

export function bridgeOutput(from: Tokenizer, to: Tokenizer): BridgedOutput {
  const stream = from.stream()
  const settled: number[] = []
  let text = ''
  let read = 0
  let isPartial = false
  let isFirst = true
  // special tokens that both write in the same way stay what they are
  const encode = (part: string): Int32Array => to.encode(part, { addSpecialTokens: isFirst, parseSpecialTokens: true })
  return {
    get hasPartialCharacter() {
      return isPartial
    },
    read(tokens) {
      for (; read < tokens.length; read++) {
        const piece = stream.push(tokens[read] ?? 0)
        isPartial = piece === '' && from.tokenOf(tokens[read] ?? 0) !== ''
        text += piece
      }
      if (text.length < SETTLE_AT) return
      const border = text.lastIndexOf(' ', text.length - UNSETTLED)
      if (border <= 0) return
      for (const id of encode(text.slice(0, border))) settled.push(id)
      text = text.slice(border)
      isFirst = false
    },
    ids() {
      const rest = encode(text)
      const ids = new Int32Array(settled.length + rest.length)
      ids.set(settled)
      ids.set(rest, settled.length)
      return ids
    },
  }
}

/**
 * A text that may follow an output, in the output's tokens.
 *
 * @param tokens  [tokens] of the output
 * @param isPartial  whether the last ones are a part of a character, with which the text then begins
 * @returns       ids; none where the text does not go on from the last token
 */
export function continueInTokens(tokenizer: Tokenizer, tokens: Int32Array, text: string, isPartial: boolean): Int32Array {
  const tail = tailOf(tokenizer, tokens)
  const certain = tokenizer.stream()
  let before = ''
  for (const token of tail) before += certain.push(token)
  const together = after(tokenizer, before + text, tail)
  if (together !== undefined && together.length > 0) return together
  return isPartial ? new Int32Array(0) : (after(tokenizer, text, new Int32Array(0)) ?? new Int32Array(0))
}

/** The last tokens, behind any special one, from one on that begins a word if there is any. */
function tailOf(tokenizer: Tokenizer, tokens: Int32Array): Int32Array {
  let start = tokens.length
  while (start > 0 && tokens.length - start < TAIL && !tokenizer.isSpecial(tokens[start - 1] ?? 0)) start--
  for (let at = start; at < tokens.length; at++) {
    if (/^[\s▁Ġ]/u.test(tokenizer.tokenOf(tokens[at] ?? 0) ?? '')) return tokens.subarray(at)
  }
  return tokens.subarray(start)
}

/** Tokens of the text behind these first ones; undefined where it does not begin with them. */
function after(tokenizer: Tokenizer, text: string, first: Int32Array): Int32Array | undefined {
  const plain = { addSpecialTokens: false }
  const anchor = tokenizer.encode(ANCHOR, plain)
  const all = tokenizer.encode(ANCHOR + text, plain)
  const begins = (part: Int32Array, from: number) => part.every((id, i) => all[from + i] === id)
  if (!begins(anchor, 0) || !begins(first, anchor.length)) return undefined
  return all.slice(anchor.length + first.length)
}
