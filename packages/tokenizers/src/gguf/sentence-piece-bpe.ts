/**
 * `tokenizer.ggml.model` = `llama`: SentencePiece's byte-pair encoding, which stores a score for each token instead of merges.
 *
 * The pair whose result has the best score merges first, so every way to cut a token into two others is a merge with the rank of
 * that token. As in SentencePiece a space is put before every text (and after every special token); tokenizer files of newer
 * models do that differently (`Metaspace` with `first`), which GGUF cannot say.
 */
import { addedTokens } from './added-tokens.ts'
import type { ReadTokenizer } from './definition.ts'
import { booleanAt, formatError, type GgufMetadata, tokenIdAt } from './tokenizer-metadata.ts'
import { type GgufVocabulary, hasByteTokens, TOKEN_TYPE } from './vocabulary.ts'

const SPACE = '▁'

export function readSentencePieceBpe(metadata: GgufMetadata, vocabulary: GgufVocabulary): ReadTokenizer {
  const { scores } = vocabulary
  if (scores === undefined) throw formatError('tokenizer.ggml.scores', undefined, 'a score for each token')
  const hasPrefix = booleanAt(metadata, 'tokenizer.ggml.add_space_prefix', true)
  const unknown = unknownToken(metadata, vocabulary)
  const toMarks = { type: 'Replace', pattern: { String: ' ' }, content: SPACE }
  const toSpaces = { type: 'Replace', pattern: { String: SPACE }, content: ' ' }
  const strip = hasPrefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []
  return {
    definition: {
      added_tokens: addedTokens(vocabulary),
      normalizer: hasPrefix ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, toMarks] } : toMarks,
      pre_tokenizer: null,
      decoder: { type: 'Sequence', decoders: [toSpaces, { type: 'ByteFallback' }, { type: 'Fuse' }, ...strip] },
      model: {
        type: 'BPE',
        vocab: vocabulary.ids,
        merges: mergesByScore(vocabulary, scores),
        unk_token: unknown,
        fuse_unk: true,
        byte_fallback: hasByteTokens(vocabulary),
      },
    },
    ends: { addsBeginning: true, addsEnd: false },
  }
}

/** Where the file names none, the token of type `unknown`, else none. */
export function unknownToken(metadata: GgufMetadata, { tokens, types }: GgufVocabulary): string | null {
  const id = tokenIdAt(metadata, 'unknown', tokens.length) ?? types.indexOf(TOKEN_TYPE.unknown)
  return tokens[id] ?? null
}

/** All pairs of tokens that make a token; best score of the result first, then longer left parts first, as the reference orders them. */
function mergesByScore({ tokens, types, ids }: GgufVocabulary, scores: Float64Array): [string, string][] {
  const merges: { left: string; right: string; score: number }[] = []
  for (let id = 0; id < tokens.length; id++) {
    if (types[id] !== TOKEN_TYPE.normal) continue
    const token = tokens[id] ?? ''
    let cut = 0
    for (const character of token) {
      cut += character.length
      if (cut === token.length) break
      const left = token.slice(0, cut)
      const right = token.slice(cut)
      if (ids.has(left) && ids.has(right)) merges.push({ left, right, score: scores[id] ?? 0 })
    }
  }
  merges.sort((a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length)
  return merges.map(({ left, right }) => [left, right])
}
