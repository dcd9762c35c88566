/** Which tokens of a GGUF vocabulary are found in the text before the model sees it. */
import { type GgufVocabulary, TOKEN_TYPE } from './vocabulary.ts'

/** As an element of `added_tokens` in `tokenizer.json`. */
export interface AddedTokenDefinition {
  readonly id: number
  readonly content: string
  readonly special: boolean
  readonly normalized: boolean
}

/** Control tokens and the unknown token are special; user-defined ones are found in any text. */
export function addedTokens({ tokens, types }: GgufVocabulary): AddedTokenDefinition[] {
  const added: AddedTokenDefinition[] = []
  for (let id = 0; id < tokens.length; id++) {
    const type = types[id]
    const special = type === TOKEN_TYPE.control || type === TOKEN_TYPE.unknown
    if (special || type === TOKEN_TYPE.userDefined) added.push({ id, content: tokens[id] ?? '', special, normalized: false })
  }
  return added
}
