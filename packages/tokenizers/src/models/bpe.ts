import { TokenizerFormatError } from '../errors.ts'
import type { Vocabulary } from '../vocabulary.ts'
import { appendByteTokens, byteTokensOf } from './byte-tokens.ts'
import { mergeSymbols } from './merge-symbols.ts'
import { type Merge, makeMergeTable } from './merge-table.ts'
import type { IsReserved, Model } from './model.ts'
import { makeWordCache } from './word-cache.ts'

export interface BpeOptions {
  readonly vocabulary: Vocabulary
  /** Pairs of tokens in the order in which they merge. */
  readonly merges: readonly (readonly [string, string])[]
  readonly unknownToken?: string
  /** Joins neighbouring unknown characters into one unknown token. */
  readonly fuseUnknown: boolean
  readonly byteFallback: boolean
  /** Takes a piece that is a token as a whole as that token, whether or not merges lead to it. */
  readonly ignoreMerges: boolean
  readonly continuingPrefix: string
  readonly endSuffix: string
}

/**
 * Byte-pair encoding over characters; byte-level vocabularies are the same thing over the byte alphabet.
 * Where the vocabulary lacks a character: its bytes when `byteFallback`, else the unknown token, else nothing, as in the reference.
 *
 * @throws {TokenizerFormatError} a merge of or into a token that is not in the vocabulary, or an unknown token that is not
 */
export function makeBpe(options: BpeOptions, isReserved: IsReserved): Model {
  const { vocabulary, unknownToken, fuseUnknown, byteFallback, ignoreMerges, continuingPrefix, endSuffix } = options
  const table = makeMergeTable(resolveMerges(options, isReserved))
  const byteTokens = byteFallback ? byteTokensOf(vocabulary) : undefined
  const unknownId = unknownToken === undefined ? undefined : vocabulary.idOf(unknownToken)
  if (unknownToken !== undefined && unknownId === undefined)
    throw new TokenizerFormatError({ found: JSON.stringify(unknownToken), expected: 'a token of the vocabulary', field: 'model.unk_token' })
  const isPlain = continuingPrefix === '' && endSuffix === ''
  const lowIds = Int32Array.from({ length: 0x200 }, (_, code) => vocabulary.idOf(String.fromCharCode(code)) ?? -1)
  const cache = makeWordCache()

  const symbolsOf = (piece: string): number[] => {
    const symbols: number[] = []
    let pendingUnknown = false
    for (let at = 0; at < piece.length; ) {
      const codePoint = piece.codePointAt(at) ?? 0
      const size = codePoint > 0xffff ? 2 : 1
      let character = ''
      let id: number | undefined
      if (isPlain && codePoint < 0x200) id = lowIds[codePoint]
      else {
        character = piece.slice(at, at + size)
        if (at > 0) character = continuingPrefix + character
        if (at + size === piece.length) character += endSuffix
        id = vocabulary.idOf(character)
      }
      at += size
      if (id !== undefined && id >= 0) {
        if (pendingUnknown && unknownId !== undefined) symbols.push(unknownId)
        pendingUnknown = false
        symbols.push(id)
        continue
      }
      if (byteTokens !== undefined && appendByteTokens(byteTokens, character === '' ? String.fromCodePoint(codePoint) : character, symbols))
        continue
      if (unknownId === undefined) continue
      if (pendingUnknown && !fuseUnknown) symbols.push(unknownId)
      pendingUnknown = true
    }
    if (pendingUnknown && unknownId !== undefined) symbols.push(unknownId)
    return symbols
  }

  return {
    vocabulary,
    ...(unknownToken === undefined ? {} : { unknownToken }),
    tokenize(piece, ids) {
      let merged = cache.get(piece)
      if (merged === undefined) {
        const whole = ignoreMerges ? vocabulary.idOf(piece) : undefined
        merged = whole !== undefined && !isReserved(whole) ? [whole] : mergeSymbols(symbolsOf(piece), table)
        cache.set(piece, merged)
      }
      for (let i = 0; i < merged.length; i++) ids.push(merged[i] ?? 0)
    },
  }
}

function resolveMerges({ vocabulary, merges, continuingPrefix }: BpeOptions, isReserved: IsReserved): Merge[] {
  const resolved: Merge[] = []
  const idOf = (token: string, rank: number) => {
    const id = vocabulary.idOf(token)
    if (id === undefined)
      throw new TokenizerFormatError({
        found: JSON.stringify(token),
        expected: 'a token of the vocabulary',
        field: `model.merges[${rank}]`,
      })
    return id
  }
  for (let rank = 0; rank < merges.length; rank++) {
    const [left, right] = merges[rank] ?? ['', '']
    const result = idOf(left + right.slice(continuingPrefix.length), rank)
    const merge = { left: idOf(left, rank), right: idOf(right, rank), result, rank }
    if (!isReserved(result)) resolved.push(merge)
  }
  return resolved
}
