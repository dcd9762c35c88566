/** What comes before the first new token: text, a conversation, or token ids. */
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import type { ChatMessage, ChatTemplateOptions, EncodeOptions, Tokenizer } from '@foretoken/tokenizers'
import { ContextLengthError, TokenizerMissingError } from './errors.ts'

/** Exactly one of `prompt`, `messages` and `tokens`. */
export type PromptInput =
  | {
      readonly prompt: string
      /** How the text becomes tokens: by default special tokens are added, and those written in the text stay text. */
      readonly encoding?: EncodeOptions
      readonly messages?: never
      readonly tokens?: never
      readonly template?: never
    }
  | {
      readonly messages: readonly ChatMessage[]
      /** Options of the chat template; `addGenerationPrompt` is true unless `continueFinalMessage` is. */
      readonly template?: ChatTemplateOptions & { readonly parseSpecialTokensInContent?: boolean }
      readonly prompt?: never
      readonly tokens?: never
      readonly encoding?: never
    }
  | {
      readonly tokens: ArrayLike<number>
      readonly prompt?: never
      readonly messages?: never
      readonly encoding?: never
      readonly template?: never
    }

/** The names of all fields of `PromptInput`. */
export const PROMPT_FIELDS = ['prompt', 'messages', 'tokens', 'encoding', 'template'] as const

export interface EncodedPrompt {
  /** [tokens] a copy. */
  readonly tokens: Int32Array
  /** Whether the output goes on with the text of the prompt, rather than begin a message. */
  readonly isContinued: boolean
}

/**
 * @throws {TokenizerMissingError} when text or messages are given to a model without a tokenizer or a chat template
 * @throws {ArgumentError} when there are no tokens, or one is not of the vocabulary
 * @throws {ContextLengthError} when there are more tokens than positions
 */
export function encodePrompt(lm: CausalLM, input: PromptInput): EncodedPrompt {
  const given = [input.prompt, input.messages, input.tokens].filter((each) => each !== undefined)
  if (given.length !== 1) {
    throw new ArgumentError({ field: 'prompt, messages, tokens', found: `${given.length} of them`, expected: 'exactly one' })
  }
  const { tokens, isContinued } = tokensOf(lm, input)
  checkTokens(tokens, lm)
  return { tokens, isContinued }
}

/** @throws as `encodePrompt` */
function checkTokens(tokens: ArrayLike<number>, lm: CausalLM): void {
  const { vocab, maxPositions } = lm.config
  if (tokens.length === 0) {
    throw new ArgumentError({ field: 'prompt', found: 'no tokens', expected: 'at least one, e.g. the beginning-of-text token' })
  }
  for (let i = 0; i < tokens.length; i++) checkTokenId(tokens[i] ?? Number.NaN, vocab, `tokens[${i}]`)
  if (tokens.length > maxPositions) {
    throw new ContextLengthError({ field: 'prompt', found: `${tokens.length} tokens`, expected: `at most ${maxPositions}, the context` })
  }
}

/** @throws {ArgumentError} for an id outside of the vocabulary */
export function checkTokenId(token: number, vocab: number, field: string): void {
  if (!Number.isSafeInteger(token) || token < 0 || token >= vocab) {
    throw new ArgumentError({ field, found: String(token), expected: `a token id from 0 to ${vocab - 1}` })
  }
}

/** @throws {TokenizerMissingError} naming what the tokenizer is needed for */
export function tokenizerFor(lm: CausalLM, purpose: string): Tokenizer {
  if (lm.tokenizer === undefined) {
    throw new TokenizerMissingError({
      field: purpose,
      found: 'a model without tokenizer files',
      expected: 'token ids, or a model that has them',
    })
  }
  return lm.tokenizer
}

function tokensOf(lm: CausalLM, input: PromptInput): EncodedPrompt {
  if (input.tokens !== undefined) {
    // Int32Array.from would wrap and truncate: what is no id must be seen before.
    const ids = input.tokens
    for (let i = 0; i < ids.length; i++) checkTokenId(ids[i] ?? Number.NaN, lm.config.vocab, `tokens[${i}]`)
    return { tokens: Int32Array.from(ids), isContinued: true }
  }
  if (input.prompt !== undefined) {
    return { tokens: tokenizerFor(lm, 'prompt').encode(input.prompt, input.encoding), isContinued: true }
  }
  const { chatTemplate } = tokenizerFor(lm, 'messages')
  if (chatTemplate === undefined) {
    throw new TokenizerMissingError({
      field: 'messages',
      found: 'a tokenizer without a chat template',
      expected: 'a prompt, or a model that has one',
    })
  }
  const isContinued = input.template?.continueFinalMessage === true
  const tokens = chatTemplate.encode(input.messages, { addGenerationPrompt: !isContinued, ...input.template })
  return { tokens, isContinued }
}
