import type { AddedTokenDefinition } from './added-tokens.ts'

/** What a GGUF tokenizer is turned into: the content of a `tokenizer.json`, before the post-processor. A vocabulary is a map. */
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
