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
// Reading `tokenizer.json`. `encodeSegments` of the result protects parts of a text from special tokens; `tokenBytes` gives exact bytes.
export { tokenizerFromJson, type TokenizerFromJsonOptions } from './tokenizer-from-json.ts'
// Building a tokenizer from stages, whatever it is read from.
export { makeTokenizer, type PipelineTokenizer, type TextSegment, type TokenizerParts } from './pipeline.ts'
// Errors.
export {
  PatternError,
  TokenizerError,
  type TokenizerErrorFacts,
  type TokenizerErrorPlace,
  TokenizerFormatError,
  TokenizerInputError,
  UnsupportedTokenizerError,
} from './errors.ts'
