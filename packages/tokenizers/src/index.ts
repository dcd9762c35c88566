// Text to tokens and back.
export type {
  ChatMessage,
  ChatTemplate,
  ChatTemplateOptions,
  DecodeOptions,
  EncodeOptions,
  SpecialTokens,
  StreamDecoder,
  Tokenizer,
} from './tokenizer.ts'
