/**
 * The tokenizer that a GGUF file carries in its metadata. It is written down as a `tokenizer.json` would have it and read from there,
 * so that both ways to a tokenizer share everything behind.
 */
import type { ChatRendererOptions } from '../chat-template/chat-renderer.ts'
import { deferredChatTemplate } from '../chat-template/deferred-renderer.ts'
import { withChatTemplate } from '../chat-template/tokenizer-chat-template.ts'
import { UnsupportedTokenizerError } from '../errors.ts'
import type { PipelineTokenizer } from '../pipeline.ts'
import type { SpecialTokens } from '../tokenizer.ts'
import { tokenizerFromJson } from '../tokenizer-from-json.ts'
import { readByteLevelBpe } from './byte-level-bpe.ts'
import { ggufChatTemplates } from './chat-templates.ts'
import type { DefaultEnds, ReadTokenizer } from './definition.ts'
import { readSentencePieceBpe } from './sentence-piece-bpe.ts'
import { booleanAt, formatError, type GgufMetadata, textAt, tokenIdAt } from './tokenizer-metadata.ts'
import { readUnigram } from './unigram.ts'
import { type GgufVocabulary, readVocabulary } from './vocabulary.ts'
import { readWordPiece } from './word-piece.ts'

type Reader = (metadata: GgufMetadata, vocabulary: GgufVocabulary) => ReadTokenizer

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['gpt2', readByteLevelBpe],
  ['llama', readSentencePieceBpe],
  ['bert', readWordPiece],
  ['t5', readUnigram],
])

export type TokenizerFromGgufOptions = Pick<ChatRendererOptions, 'limits' | 'clock' | 'templateName'>

const MODEL = 'tokenizer.ggml.model'

/**
 * A tokenizer from the metadata of a GGUF file; only keys that begin with `tokenizer.` are read.
 *
 * @param metadata  keys and values as the file has them; 64-bit integers may be bigints
 * @throws {TokenizerFormatError} a key is missing or contradicts another; the error names it
 * @throws {UnsupportedTokenizerError} a model or a pre-tokenizer that is not known; the error names those that are
 */
export function tokenizerFromGguf(metadata: GgufMetadata, options: TokenizerFromGgufOptions = {}): PipelineTokenizer {
  const model = textAt(metadata, MODEL)
  if (model === undefined) throw formatError(MODEL, undefined, `one of ${[...READERS.keys()].join(', ')}`)
  const read = READERS.get(model)
  if (read === undefined) {
    throw new UnsupportedTokenizerError({
      field: MODEL,
      found: JSON.stringify(model),
      expected: `one of ${[...READERS.keys()].join(', ')}`,
    })
  }
  const vocabulary = readVocabulary(metadata)
  const { definition, ends } = read(metadata, vocabulary)
  const idOf = (name: string) => tokenIdAt(metadata, name, vocabulary.tokens.length)
  const postProcessor = template(metadata, vocabulary, ends, idOf)
  const tokenizer = tokenizerFromJson({ ...definition, post_processor: postProcessor }, { specialTokens: specialTokens(idOf) })
  const templates = ggufChatTemplates(metadata)
  if (templates === undefined) return tokenizer
  return withChatTemplate(tokenizer, deferredChatTemplate(templates, { ...options, specialTokens: namedTokens(vocabulary, idOf) }))
}

type IdOf = (name: string) => number | undefined

/** All the ids that the file says a text or a turn ends with. */
function specialTokens(idOf: IdOf): SpecialTokens {
  const endOfText = ['eos', 'eot', 'eom'].map(idOf).filter((id) => id !== undefined)
  const [beginning, padding, unknown] = [idOf('bos'), idOf('padding'), idOf('unknown')]
  return {
    endOfText: [...new Set(endOfText)],
    ...(beginning === undefined ? {} : { beginningOfText: beginning }),
    ...(padding === undefined ? {} : { padding }),
    ...(unknown === undefined ? {} : { unknown }),
  }
}

function namedTokens({ tokens }: GgufVocabulary, idOf: IdOf): Record<string, string | undefined> {
  const text = (name: string): string | undefined => tokens[idOf(name) ?? -1]
  return { bos_token: text('bos'), eos_token: text('eos'), unk_token: text('unknown'), pad_token: text('padding') }
}

/** What is put around a text. BERT's files name its beginning `bos` or `cls`, its end `eos` or (misspelt in the format) `seperator`. */
function template(metadata: GgufMetadata, { tokens }: GgufVocabulary, ends: DefaultEnds, idOf: IdOf): object | null {
  const separator = idOf('seperator')
  const hasSeparator = separator !== undefined && booleanAt(metadata, 'tokenizer.ggml.add_sep_token', ends.addsEnd)
  const beginning = booleanAt(metadata, 'tokenizer.ggml.add_bos_token', ends.addsBeginning) ? (idOf('bos') ?? idOf('cls')) : undefined
  const end = booleanAt(metadata, 'tokenizer.ggml.add_eos_token', ends.addsEnd) ? (idOf('eos') ?? idOf('seperator')) : undefined
  const last = end ?? (hasSeparator ? separator : undefined)
  if (beginning === undefined && last === undefined) return null
  const special = (id: number | undefined): object[] => (id === undefined ? [] : [{ SpecialToken: { id: tokens[id] ?? '', type_id: 0 } }])
  const single = [...special(beginning), { Sequence: { id: 'A', type_id: 0 } }, ...special(last)]
  const used = [beginning, last].filter((id) => id !== undefined)
  const specials = Object.fromEntries(used.map((id) => [tokens[id] ?? '', { id: tokens[id] ?? '', ids: [id], tokens: [tokens[id] ?? ''] }]))
  return { type: 'TemplateProcessing', single, special_tokens: specials }
}
