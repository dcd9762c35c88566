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
// Chat templates: conversations to text, and to ids in which what users typed cannot become a control token.
export {
  type ChatRenderer,
  type ChatRendererOptions,
  type ChatTemplateSource,
  chatTemplateFromSource,
  type RenderedChat,
} from './chat-template/chat-renderer.ts'
export { ChatTemplateError, type ChatTemplateFailure } from './chat-template/chat-template-error.ts'
export { TemplateFloat } from './chat-template/template-float.ts'
export { withChatTemplate } from './chat-template/tokenizer-chat-template.ts'
export type { ChatTemplateLimits } from './chat-template/step-budget.ts'
// From the files of a model folder or a hub repository.
export { type LoadTokenizerOptions, loadTokenizerFiles } from './tokenizer-files/load-tokenizer-files.ts'
export type { TokenizerFolder } from './tokenizer-files/tokenizer-folder.ts'
// From the metadata of a GGUF file.
export { type TokenizerFromGgufOptions, tokenizerFromGguf } from './gguf/tokenizer-from-gguf.ts'
export type { GgufMetadata, GgufMetadataValue } from './gguf/tokenizer-metadata.ts'
