/**
 * `tokenizer.ggml.model` = `bert`: WordPiece. The file marks the beginnings of words with `▁`, where BERT's own vocabulary marks what
 * continues a word with `##`; tokens in brackets have neither.
 */
import { addedTokens } from './added-tokens.ts'
import type { ReadTokenizer } from './definition.ts'
import { unknownToken } from './sentence-piece-bpe.ts'
import type { GgufMetadata } from './tokenizer-metadata.ts'
import { type GgufVocabulary, TOKEN_TYPE } from './vocabulary.ts'

const WORD_START = '▁'
const CONTINUATION = '##'
const IN_BRACKETS = /^\[.*\]$/

export function readWordPiece(metadata: GgufMetadata, vocabulary: GgufVocabulary): ReadTokenizer {
  const tokens = vocabulary.tokens.map((token, id) => {
    if (vocabulary.types[id] !== TOKEN_TYPE.normal || IN_BRACKETS.test(token)) return token
    return token.startsWith(WORD_START) ? token.slice(WORD_START.length) : CONTINUATION + token
  })
  return {
    definition: {
      added_tokens: addedTokens(vocabulary),
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      decoder: { type: 'WordPiece', prefix: CONTINUATION, cleanup: true },
      model: {
        type: 'WordPiece',
        vocab: new Map(tokens.map((token, id) => [token, id])),
        unk_token: unknownToken(metadata, vocabulary) ?? '[UNK]',
        continuing_subword_prefix: CONTINUATION,
        max_input_chars_per_word: 100,
      },
    },
    ends: { addsBeginning: true, addsEnd: true },
  }
}
