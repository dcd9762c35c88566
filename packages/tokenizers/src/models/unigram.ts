import type { Vocabulary } from '../vocabulary.ts'
import { appendByteTokens, byteTokensOf } from './byte-tokens.ts'
import type { IsReserved, Model } from './model.ts'
import { makePieceTrie } from './piece-trie.ts'
import { makeWordCache } from './word-cache.ts'
import { requireUnknown } from './word-level.ts'

export interface UnigramOptions {
  readonly vocabulary: Vocabulary
  /** [size] log-probability of each token. */
  readonly scores: Float64Array
  readonly unknownId?: number
  readonly byteFallback: boolean
}

/** How much worse than the worst piece an unknown character is; the constant of SentencePiece. */
const UNKNOWN_PENALTY = 10

/**
 * The segmentation with the greatest sum of log-probabilities, by Viterbi's algorithm over a trie of the pieces: O(length * longest
 * piece). Neighbouring unknown characters become one unknown token, or the bytes of all of them. After Kudo 2018, "Subword Regularization".
 */
export function makeUnigram(options: UnigramOptions, isReserved: IsReserved): Model {
  const { vocabulary, scores, unknownId, byteFallback } = options
  const trie = makePieceTrie()
  let unknownScore = Number.POSITIVE_INFINITY
  for (let id = 0; id < scores.length; id++) {
    const token = vocabulary.tokenOf(id) ?? ''
    unknownScore = Math.min(unknownScore, scores[id] ?? 0)
    // A token listed twice has its last id. The unknown piece itself is not reserved: its text is as good as unknown.
    if (vocabulary.idOf(token) === id && (!isReserved(id) || id === unknownId)) trie.add(token, id)
  }
  unknownScore -= UNKNOWN_PENALTY
  const byteTokens = byteFallback ? byteTokensOf(vocabulary) : undefined
  const unknownToken = unknownId === undefined ? undefined : vocabulary.tokenOf(unknownId)
  const cache = makeWordCache()

  const segment = (piece: string): number[] => {
    const { best, starts } = bestPath(piece)
    const spans: number[] = []
    for (let end = piece.length; end > 0; end = starts[end] ?? 0) spans.push(end)
    const ids: number[] = []
    let unknownStart = -1
    const closeUnknown = (end: number) => {
      if (unknownStart >= 0) appendUnknown(piece.slice(unknownStart, end), ids)
      unknownStart = -1
    }
    for (let i = spans.length - 1; i >= 0; i--) {
      const end = spans[i] ?? 0
      const start = starts[end] ?? 0
      const id = best[end] ?? -1
      if (id === UNKNOWN || id === unknownId) {
        if (unknownStart < 0) unknownStart = start
        continue
      }
      closeUnknown(start)
      ids.push(id)
    }
    closeUnknown(piece.length)
    return ids
  }

  /** For each position: the id of the last token of the best path to it and where that token starts. */
  const bestPath = (piece: string) => {
    const best = new Int32Array(piece.length + 1).fill(NONE)
    const starts = new Int32Array(piece.length + 1)
    const totals = new Float64Array(piece.length + 1)
    for (let start = 0; start < piece.length; ) {
      const size = (piece.codePointAt(start) ?? 0) > 0xffff ? 2 : 1
      const before = totals[start] ?? 0
      let hasSingle = false
      let node = trie.root
      for (let end = start; end < piece.length; ) {
        node = trie.child(node, piece.charCodeAt(end++))
        if (node < 0) break
        const id = trie.idAt(node)
        if (id < 0) continue
        if (end - start === size) hasSingle = true
        const total = before + (scores[id] ?? 0)
        if (best[end] !== NONE && total <= (totals[end] ?? 0)) continue
        best[end] = id
        starts[end] = start
        totals[end] = total
      }
      const end = start + size
      if (!hasSingle && (best[end] === NONE || before + unknownScore > (totals[end] ?? 0))) {
        best[end] = UNKNOWN
        starts[end] = start
        totals[end] = before + unknownScore
      }
      start = end
    }
    return { best, starts }
  }

  const appendUnknown = (text: string, ids: number[]) => {
    // Several unknown characters in a row may spell a token that no path reached; the reference takes it.
    const whole = vocabulary.idOf(text)
    if (whole !== undefined && !isReserved(whole)) ids.push(whole)
    else if (byteTokens === undefined || !appendByteTokens(byteTokens, text, ids)) ids.push(requireUnknown(unknownId, text, unknownToken))
  }

  return {
    vocabulary,
    ...(unknownToken === undefined ? {} : { unknownToken }),
    tokenize(piece, ids) {
      let found = cache.get(piece)
      if (found === undefined) {
        found = segment(piece)
        cache.set(piece, found)
      }
      for (let i = 0; i < found.length; i++) ids.push(found[i] ?? 0)
    },
  }
}

const NONE = -1
const UNKNOWN = -2
