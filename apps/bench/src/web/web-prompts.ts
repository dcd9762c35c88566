/** Prompts of so many tokens that are text as well, because one side takes text only. */
import type { Checkpoint } from '@foretoken/models'
import type { WebPrompt } from './web-job.ts'

type Tokenizer = NonNullable<Checkpoint['tokenizer']>

/** Prompts of one run begin so far apart, so that no side finds one of them in its cache. */
const STRIDE = 61
const MOST_TRIES = 200

/** Ids to cut prompts from: those of the fixture's text, or where it is missing or belongs to another model, of sentences that are made here. */
export function idsToCut(tokenizer: Tokenizer, text: readonly number[] | undefined): readonly number[] {
  if (text !== undefined) return text
  const sentence = (day: number) => `On day ${day} the old man at the mill counted ${(day * 37) % 101} boats and wrote the number down. `
  const sentences = Array.from({ length: 80 }, (_, day) => sentence(day))
  return [...tokenizer.encode(sentences.join(''), { addSpecialTokens: false })]
}

/**
 * A piece of a text that has exactly so many tokens when it is read by itself.
 *
 * @param ids    the text, read over and over
 * @param index  which of the prompts of a run it is
 * @throws {Error} when no piece of the text comes out at that length
 */
export function promptOfText(tokenizer: Tokenizer, ids: readonly number[], length: number, index: number): WebPrompt {
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const start = index * STRIDE + attempt
    // At its ends, and where it begins anew, the text may fall into other tokens: a few more or less are cut.
    const cut = length + (attempt % 9) - 4
    const text = tokenizer.decode(Int32Array.from({ length: cut }, (_, at) => ids[(start + at) % ids.length] ?? 0))
    const tokens = [...tokenizer.encode(text, { addSpecialTokens: false })]
    if (tokens.length === length) return { text, tokens }
  }
  throw new Error(`found no piece of the text with ${length} tokens in ${MOST_TRIES} tries, expected one`)
}
