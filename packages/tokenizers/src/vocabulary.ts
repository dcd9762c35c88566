import { TokenizerFormatError } from './errors.ts'

/** No vocabulary in use comes near; the limit keeps a hostile id from becoming an allocation. */
export const MAX_TOKEN_ID = 2 ** 22 - 1

/** Tokens and their ids, both ways. Ids may leave holes. */
export interface Vocabulary {
  /** Number of tokens. */
  readonly count: number
  /** One more than the greatest id. */
  readonly size: number
  idOf(token: string): number | undefined
  tokenOf(id: number): string | undefined
}

/**
 * @param entries  tokens with their ids; `path` names the place of an entry in errors
 * @throws {TokenizerFormatError} an id that is not a whole number in [0, MAX_TOKEN_ID], or that two tokens share
 */
export function makeVocabulary(entries: Iterable<readonly [string, unknown]>, path: (token: string) => string): Vocabulary {
  const ids = new Map<string, number>()
  const tokens: (string | undefined)[] = []
  for (const [token, id] of entries) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > MAX_TOKEN_ID)
      throw new TokenizerFormatError({
        found: `the id ${String(id)}`,
        expected: `a whole number from 0 to ${MAX_TOKEN_ID}`,
        field: path(token),
      })
    const other = tokens[id]
    if (other !== undefined && other !== token)
      throw new TokenizerFormatError({
        found: `the id ${id}, which ${JSON.stringify(other)} has already`,
        expected: 'a different id for each token',
        field: path(token),
      })
    while (tokens.length < id) tokens.push(undefined)
    tokens[id] = token
    ids.set(token, id)
  }
  return { count: ids.size, size: tokens.length, idOf: (token) => ids.get(token), tokenOf: (id) => tokens[id] }
}
