import { type AddedToken, makeAddedTokenMatcher } from './added-tokens.ts'
import { addedTokensFromJson } from './added-tokens-from-json.ts'
import { decoderFromJson } from './decoders/from-json.ts'
import { type Fields, fieldsOf, optionalFieldsOf, refuseUnknownFields } from './json-fields.ts'
import { modelFromJson } from './models/from-json.ts'
import { normalizerFromJson } from './normalizers/from-json.ts'
import type { Normalizer } from './normalizers/normalizer.ts'
import { makeTokenizer, type PipelineTokenizer } from './pipeline.ts'
import { postProcessorFromJson } from './post-processors/from-json.ts'
import { preTokenizerFromJson } from './pre-tokenizers/from-json.ts'
import type { SectionFinder } from './sections.ts'
import { specialTokensFromConfig } from './special-tokens.ts'
import type { ChatTemplate, SpecialTokens } from './tokenizer.ts'
import { paddingFromJson, truncationFromJson } from './truncation-from-json.ts'

export interface TokenizerFromJsonOptions {
  /**
   * The parsed `tokenizer_config.json`: names the special tokens and may add further added tokens. Its other fields are instructions
   * to other software (`add_bos_token`, `clean_up_tokenization_spaces`, …) and change nothing here.
   */
  readonly config?: unknown
  readonly chatTemplate?: ChatTemplate
  /** What is known better than from the file, e.g. all ids that end a text, from `generation_config.json`. */
  readonly specialTokens?: Partial<SpecialTokens>
  /** `'file'` (default) cuts as the file's `truncation` says, `'none'` never does. */
  readonly truncation?: 'file' | 'none'
  /** `'file'` (default) pads as the file's `padding` says, `'none'` never does. */
  readonly padding?: 'file' | 'none'
}

const FIELDS = ['version', 'truncation', 'padding', 'added_tokens', 'normalizer', 'pre_tokenizer', 'model', 'post_processor', 'decoder']

/**
 * A tokenizer from the parsed content of a `tokenizer.json`.
 *
 * @throws {TokenizerFormatError} the file contradicts itself or its format; the error names the field
 * @throws {UnsupportedTokenizerError} the file asks for something unknown; the error names what is known
 * @throws {PatternError} a regular expression that cannot be understood
 */
export function tokenizerFromJson(json: unknown, options: TokenizerFromJsonOptions = {}): PipelineTokenizer {
  const file = fieldsOf(json, '')
  refuseUnknownFields(file, FIELDS)
  const config = optionalFieldsOf(options.config, '')
  const unfinished = modelFromJson(file.values.get('model'), 'model')
  const addedTokens = addedTokensFromJson(file, config, unfinished.vocabulary)
  const special = new Set(addedTokens.filter(isReserved).map(({ id }) => id))
  const model = unfinished.finish((id) => special.has(id))
  const normalizer = stage(file, 'normalizer', normalizerFromJson)
  const preTokenizer = stage(file, 'pre_tokenizer', preTokenizerFromJson)
  const postProcessor = stage(file, 'post_processor', postProcessorFromJson)
  const decoder = stage(file, 'decoder', decoderFromJson)
  const truncation = options.truncation === 'none' ? undefined : truncationFromJson(file.values.get('truncation'), 'truncation')
  const padding = options.padding === 'none' ? undefined : paddingFromJson(file.values.get('padding'), 'padding')
  const idOf = (token: string) => addedTokens.find(({ content }) => content === token)?.id ?? model.vocabulary.idOf(token)
  return makeTokenizer({
    sections: sectionFinder(addedTokens, normalizer),
    model,
    addedTokens,
    specialTokens: { ...specialTokensFromConfig(config, idOf), ...options.specialTokens },
    ...(preTokenizer === undefined ? {} : { preTokenizer }),
    ...(postProcessor === undefined ? {} : { postProcessor }),
    ...(decoder === undefined ? {} : { decoder }),
    ...(truncation === undefined ? {} : { truncation }),
    ...(padding === undefined ? {} : { padding }),
    ...(options.chatTemplate === undefined ? {} : { chatTemplate: options.chatTemplate }),
  })
}

/**
 * Special tokens of one character stay within the model's reach: the character may have no other token.
 */
function isReserved({ special, content }: AddedToken): boolean {
  return special && [...content].length > 1
}

function stage<T>(file: Fields, name: string, read: (json: unknown, path: string) => T): T | undefined {
  const json = file.values.get(name)
  return json === undefined || json === null ? undefined : read(json, name)
}

/** How added tokens are found: those marked `normalized` are normalised themselves and sought in normalised text. */
export function sectionFinder(addedTokens: readonly AddedToken[], normalizer: Normalizer | undefined): SectionFinder {
  const verbatim = new Map<string, AddedToken>()
  const normalized = new Map<string, AddedToken>()
  for (const token of addedTokens) {
    if (token.normalized) normalized.set(normalizer?.normalize(token.content) ?? token.content, token)
    else verbatim.set(token.content, token)
  }
  const verbatimMatcher = makeAddedTokenMatcher(verbatim)
  const normalizedMatcher = makeAddedTokenMatcher(normalized)
  return {
    ...(normalizer === undefined ? {} : { normalizer }),
    ...(verbatimMatcher === undefined ? {} : { verbatim: verbatimMatcher }),
    ...(normalizedMatcher === undefined ? {} : { normalized: normalizedMatcher }),
  }
}
