import { TokenizerInputError } from '../errors.ts'
import type { Vocabulary } from '../vocabulary.ts'
import type { IsReserved, Model } from './model.ts'

/** One token per piece; pieces that are not in the vocabulary become the unknown token. */
export function makeWordLevel(
  { vocabulary, unknownToken }: { vocabulary: Vocabulary; unknownToken: string },
  isReserved: IsReserved,
): Model {
  const unknownId = vocabulary.idOf(unknownToken)
  return {
    vocabulary,
    unknownToken,
    tokenize(piece, ids) {
      const id = vocabulary.idOf(piece)
      ids.push(id !== undefined && !isReserved(id) ? id : requireUnknown(unknownId, piece, unknownToken))
    },
  }
}

/** The unknown token's id. @throws {TokenizerInputError} when the vocabulary has none */
export function requireUnknown(id: number | undefined, piece: string, unknownToken: string | undefined): number {
  if (id !== undefined) return id
  throw new TokenizerInputError({
    found: `the text ${JSON.stringify(piece.slice(0, 40))}, which the vocabulary cannot express`,
    expected:
      unknownToken === undefined ? 'text that it can express' : `the unknown token ${JSON.stringify(unknownToken)} in the vocabulary`,
  })
}
