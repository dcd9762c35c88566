/** The tokenizer of a hosted model: it lives in the worker, so every call is a message. */
import type { ChatMessage, ChatTemplateOptions, DecodeOptions, EncodeOptions, SpecialTokens } from '@foretoken/tokenizers'

export interface HostedTokenizer {
  readonly vocabularySize: number
  readonly specialTokens: SpecialTokens
  /** Whether `messages` can be given to `generate`. */
  readonly hasChatTemplate: boolean
  encode(text: string, options?: EncodeOptions): Promise<Int32Array>
  decode(ids: ArrayLike<number>, options?: DecodeOptions): Promise<string>
  /** A text token by token: what each is in the vocabulary, and which bytes it stands for. */
  view(text: string, options?: EncodeOptions): Promise<readonly TokenView[]>
  /** The same of ids; one that is not in the vocabulary has no token and no bytes. */
  viewIds(ids: ArrayLike<number>): Promise<readonly TokenView[]>
  /** A conversation as the text of the model's template. Throws the template's error, or `TokenizerMissingError` when there is none. */
  render(messages: readonly ChatMessage[], options?: ChatTemplateOptions): Promise<string>
  /** The ids of a conversation; special tokens written inside of its contents stay text. */
  encodeMessages(messages: readonly ChatMessage[], options?: ChatTemplateOptions): Promise<Int32Array>
}

export interface TokenView {
  readonly id: number
  /** As the vocabulary writes it (`Ġhello`, `▁hello`); undefined for an id that is not in it. */
  readonly token?: string
  readonly isSpecial: boolean
  /** The exact bytes that the token adds to a text, UTF-8: of half a character those that it has. */
  readonly bytes: Uint8Array
  /** Where these bytes begin, counted from the first token. */
  readonly from: number
  /** One past the last of them. */
  readonly to: number
}
