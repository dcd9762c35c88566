import type { AddedTokenDefinition } from './added-tokens.ts'

/** What a GGUF tokenizer is turned into: the content of a `tokenizer.json`, before the post-processor. */
export interface TokenizerDefinition {
  readonly added_tokens: readonly AddedTokenDefinition[]
  readonly normalizer: object | null
  readonly pre_tokenizer: object | null
  readonly decoder: object
  readonly model: object
}

/** What is put around a text where the file does not say: each kind of model has its own habit. */
export interface DefaultEnds {
  readonly addsBeginning: boolean
  readonly addsEnd: boolean
}

export interface ReadTokenizer {
  readonly definition: TokenizerDefinition
  readonly ends: DefaultEnds
}

/** A vocabulary as `tokenizer.json` has it. */
export function vocabularyObject(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]))
}
