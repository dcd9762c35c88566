/**
 * Ids of pieces that were seen lately. Two generations: when the young one is full it becomes the old one, and what is looked up there
 * moves back, so frequent words stay without the bookkeeping of an exact order. Only short pieces are kept, so memory is bounded.
 */
export interface WordCache {
  get(piece: string): readonly number[] | undefined
  set(piece: string, ids: readonly number[]): void
}

const GENERATION_SIZE = 8192
const MAX_PIECE_LENGTH = 64

export function makeWordCache(): WordCache {
  let young = new Map<string, readonly number[]>()
  let old = new Map<string, readonly number[]>()
  const set = (piece: string, ids: readonly number[]) => {
    if (piece.length > MAX_PIECE_LENGTH) return
    if (young.size >= GENERATION_SIZE) {
      old = young
      young = new Map()
    }
    young.set(piece, ids)
  }
  return {
    set,
    get(piece) {
      const fresh = young.get(piece)
      if (fresh !== undefined) return fresh
      const stale = old.get(piece)
      if (stale !== undefined) set(piece, stale)
      return stale
    },
  }
}
