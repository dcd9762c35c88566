/** `tokenizer.ggml.model` = `t5`: SentencePiece's Unigram, with the character map that came with it. */
import { addedTokens } from './added-tokens.ts'
import type { ReadTokenizer } from './definition.ts'
import { booleanAt, formatError, type GgufMetadata, listAt, tokenIdAt, wholeNumber } from './tokenizer-metadata.ts'
import { type GgufVocabulary, hasByteTokens, TOKEN_TYPE } from './vocabulary.ts'

const SPACE = '▁'
const CHARACTER_MAP = 'tokenizer.ggml.precompiled_charsmap'

export function readUnigram(metadata: GgufMetadata, vocabulary: GgufVocabulary): ReadTokenizer {
  const { tokens, types, scores } = vocabulary
  if (scores === undefined) throw formatError('tokenizer.ggml.scores', undefined, 'a score for each token')
  const unknown = tokenIdAt(metadata, 'unknown', tokens.length) ?? types.indexOf(TOKEN_TYPE.unknown)
  const prepend = booleanAt(metadata, 'tokenizer.ggml.add_space_prefix', true) ? 'always' : 'never'
  const metaspace = { type: 'Metaspace', replacement: SPACE, prepend_scheme: prepend, split: true }
  const hasBytes = hasByteTokens(vocabulary)
  return {
    definition: {
      added_tokens: addedTokens(vocabulary),
      normalizer: normalizer(metadata),
      pre_tokenizer: metaspace,
      decoder: hasBytes ? { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, metaspace] } : metaspace,
      model: {
        type: 'Unigram',
        vocab: tokens.map((token, id) => [token, scores[id]]),
        unk_id: unknown < 0 ? null : unknown,
        byte_fallback: hasBytes,
      },
    },
    ends: { addsBeginning: false, addsEnd: true },
  }
}

function normalizer(metadata: GgufMetadata): object | null {
  const stages: object[] = []
  const map = characterMap(metadata)
  if (map !== undefined) stages.push({ type: 'Precompiled', precompiled_charsmap: map })
  if (booleanAt(metadata, 'tokenizer.ggml.remove_extra_whitespaces', false)) {
    stages.push({ type: 'Strip', strip_left: false, strip_right: true })
    stages.push({ type: 'Replace', pattern: { Regex: ' {2,}' }, content: SPACE })
  }
  return stages.length === 0 ? null : { type: 'Sequence', normalizers: stages }
}

/** The bytes of the map in base64, as `tokenizer.json` holds them. The file may have them signed. */
function characterMap(metadata: GgufMetadata): string | undefined {
  const list = listAt(metadata, CHARACTER_MAP)
  if (list === undefined || list.length === 0) return undefined
  const characters: string[] = []
  for (let index = 0; index < list.length; index++) {
    const path = `${CHARACTER_MAP}[${index}]`
    const byte = wholeNumber(list[index] ?? -1, path)
    if (byte < -128 || byte > 255) throw formatError(path, byte, 'a byte')
    characters.push(String.fromCharCode(byte & 0xff))
  }
  return btoa(characters.join(''))
}
