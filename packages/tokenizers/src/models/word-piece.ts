import type { Vocabulary } from '../vocabulary.ts'
import type { IsReserved, Model } from './model.ts'
import { makeWordCache } from './word-cache.ts'
import { requireUnknown } from './word-level.ts'

export interface WordPieceOptions {
  readonly vocabulary: Vocabulary
  readonly unknownToken: string
  readonly continuingPrefix: string
  /** Longer pieces, counted in characters, are unknown. */
  readonly maxCharacters: number
}

/**
 * The longest token that the piece starts with, then the longest continuation, and so on; when one is missing, or the piece is too long,
 * the whole piece is unknown. After Schuster and Nakajima 2012, greedy as in BERT.
 */
export function makeWordPiece(options: WordPieceOptions, isReserved: IsReserved): Model {
  const { vocabulary, unknownToken, continuingPrefix, maxCharacters } = options
  const unknownId = vocabulary.idOf(unknownToken)
  const longest = longestToken(vocabulary)
  const cache = makeWordCache()
  const split = (piece: string): number[] => {
    const unknown = () => [requireUnknown(unknownId, piece, unknownToken)]
    // A character takes one or two code units: this decides for long pieces without counting.
    if (piece.length > maxCharacters * 2 || [...piece].length > maxCharacters) return unknown()
    const ids: number[] = []
    for (let start = 0; start < piece.length; ) {
      let end = Math.min(piece.length, start + longest)
      let id: number | undefined
      for (; end > start; end--) {
        const part = piece.slice(start, end)
        id = vocabulary.idOf(start > 0 ? continuingPrefix + part : part)
        if (id !== undefined && !isReserved(id)) break
        id = undefined
      }
      if (id === undefined) return unknown()
      ids.push(id)
      start = end
    }
    return ids
  }
  return {
    vocabulary,
    unknownToken,
    tokenize(piece, ids) {
      let found = cache.get(piece)
      if (found === undefined) {
        found = split(piece)
        cache.set(piece, found)
      }
      for (const id of found) ids.push(id)
    },
  }
}

/** No longer part can be a token, so a long piece takes time proportional to its length. */
function longestToken(vocabulary: Vocabulary): number {
  let longest = 0
  for (let id = 0; id < vocabulary.size; id++) longest = Math.max(longest, vocabulary.tokenOf(id)?.length ?? 0)
  return longest
}
