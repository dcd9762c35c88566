/** Text to token ids and back. */
export interface Tokenizer {
  readonly vocabularySize: number
  /**
   * @param text     any JavaScript string
   * @param options  `addSpecialTokens` (default true): what the post-processor adds, e.g. a beginning-of-text token;
   *                 `parseSpecialTokens` (default false): whether special tokens written out in the text become those tokens,
   *                 or ordinary text. Templates are encoded with `true`, what users typed with `false`.
   */
  encode(text: string, options?: EncodeOptions): Int32Array
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string
  /** A decoder that is fed token by token and never returns half a character. */
  stream(options?: DecodeOptions): StreamDecoder
  /** The bytes or text of one token as the vocabulary writes it; undefined for an id that is not in it. */
  tokenOf(id: number): string | undefined
  idOf(token: string): number | undefined
  readonly specialTokens: SpecialTokens
  /** Whether this id is a special token. */
  isSpecial(id: number): boolean
  /** Present when the files came with a chat template. */
  readonly chatTemplate?: ChatTemplate
}

export interface EncodeOptions {
  readonly addSpecialTokens?: boolean
  readonly parseSpecialTokens?: boolean
}

export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean
}

export interface StreamDecoder {
  /** The text that has become certain by this token; may be empty. */
  push(id: number): string
  /** The rest: incomplete bytes come out as U+FFFD. */
  flush(): string
}

export interface SpecialTokens {
  readonly beginningOfText?: number
  /** All ids that end a text. */
  readonly endOfText: readonly number[]
  readonly padding?: number
  readonly unknown?: number
}

export interface ChatTemplate {
  /**
   * @returns the prompt as pieces: text of the template, in which special tokens count, and text of the user, in which they do not.
   * @throws a typed error when the template fails, refuses the conversation, or exceeds its limits
   */
  render(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string
  /** The ids of the rendered conversation; special tokens inside of message contents stay ordinary text unless `parseSpecialTokensInContent`. */
  encode(messages: readonly ChatMessage[], options?: ChatTemplateOptions & { readonly parseSpecialTokensInContent?: boolean }): Int32Array
}

export interface ChatMessage {
  readonly role: string
  readonly content: unknown
  readonly [field: string]: unknown
}

export interface ChatTemplateOptions {
  readonly addGenerationPrompt?: boolean
  readonly continueFinalMessage?: boolean
  readonly tools?: readonly unknown[]
  readonly documents?: readonly unknown[]
  /** Further variables of the template. */
  readonly variables?: Readonly<Record<string, unknown>>
}
