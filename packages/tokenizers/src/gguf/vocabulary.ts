/** The vocabulary of a GGUF file: texts, types and scores of the tokens, checked against each other. */
import { TokenizerFormatError } from '../errors.ts'
import { MAX_TOKEN_ID } from '../vocabulary.ts'
import { formatError, type GgufMetadata, listAt, textListAt, wholeNumber } from './tokenizer-metadata.ts'

/** How the format numbers the types of tokens. */
export const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

export interface GgufVocabulary {
  /** [vocabulary] the texts, each different. */
  readonly tokens: readonly string[]
  /** [vocabulary] of `TOKEN_TYPE`; all normal where the file has none. */
  readonly types: Int32Array
  /** [vocabulary] logarithms, or minus the rank; undefined where the file has none. */
  readonly scores: Float64Array | undefined
  readonly ids: ReadonlyMap<string, number>
}

const TOKENS = 'tokenizer.ggml.tokens'
const TYPES = 'tokenizer.ggml.token_type'
const SCORES = 'tokenizer.ggml.scores'
const BYTE_TOKEN = /^<0x[\dA-Fa-f]{2}>$/

/** @throws {TokenizerFormatError} lists of different lengths, doubled tokens, bytes that are none */
export function readVocabulary(metadata: GgufMetadata): GgufVocabulary {
  const tokens = textListAt(metadata, TOKENS)
  if (tokens === undefined || tokens.length === 0) throw formatError(TOKENS, tokens, 'at least one token')
  if (tokens.length > MAX_TOKEN_ID) throw formatError(TOKENS, `${tokens.length} tokens`, `at most ${MAX_TOKEN_ID}`)
  // An empty text can never be found; the name keeps the id taken.
  const named = tokens.map((token, id) => (token === '' ? `[EMPTY_${id}]` : token))
  const types = readTypes(metadata, named)
  return { tokens: named, types, scores: readScores(metadata, named.length), ids: readIds(named) }
}

function readIds(tokens: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>()
  for (let id = 0; id < tokens.length; id++) {
    const token = tokens[id] ?? ''
    const other = ids.get(token)
    if (other !== undefined) {
      throw new TokenizerFormatError({
        field: `${TOKENS}[${id}]`,
        found: `${JSON.stringify(token)}, as at ${other}`,
        expected: 'each token once',
      })
    }
    ids.set(token, id)
  }
  return ids
}

function readTypes(metadata: GgufMetadata, tokens: readonly string[]): Int32Array {
  const list = listAt(metadata, TYPES, tokens.length)
  const types = new Int32Array(tokens.length).fill(TOKEN_TYPE.normal)
  if (list === undefined) return types
  for (let id = 0; id < tokens.length; id++) {
    const path = `${TYPES}[${id}]`
    const type = wholeNumber(list[id] ?? -1, path)
    if (type < 0 || type > TOKEN_TYPE.byte) throw formatError(path, type, `a type from 0 to ${TOKEN_TYPE.byte}`)
    if (type === TOKEN_TYPE.byte && !BYTE_TOKEN.test(tokens[id] ?? ''))
      throw formatError(`${TOKENS}[${id}]`, tokens[id], 'a byte from <0x00> to <0xFF>')
    types[id] = type
  }
  return types
}

function readScores(metadata: GgufMetadata, length: number): Float64Array | undefined {
  const list = listAt(metadata, SCORES, length)
  if (list === undefined) return undefined
  const scores = new Float64Array(length)
  for (let id = 0; id < length; id++) {
    const score = list[id]
    if (typeof score !== 'number' || Number.isNaN(score)) throw formatError(`${SCORES}[${id}]`, score, 'a number')
    scores[id] = score
  }
  return scores
}

export function hasByteTokens({ types }: GgufVocabulary): boolean {
  return types.includes(TOKEN_TYPE.byte)
}
