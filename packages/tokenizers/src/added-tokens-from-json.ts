import type { AddedToken } from './added-tokens.ts'
import { TokenizerFormatError } from './errors.ts'
import { booleanField, countField, type Fields, fieldsOf, listField, pathOf, refuseUnknownFields, stringField } from './json-fields.ts'
import { MAX_TOKEN_ID, type Vocabulary } from './vocabulary.ts'

const FIELDS = ['id', 'content', 'special', 'normalized', 'lstrip', 'rstrip', 'single_word']

/** The search takes, at worst, time proportional to the text times this. Tokens in use have less than 100 characters. */
const MAX_CONTENT_LENGTH = 256

/**
 * The added tokens of `tokenizer.json`, followed by those that only `tokenizer_config.json` lists (its `added_tokens_decoder`).
 *
 * @throws {TokenizerFormatError} an empty token, two tokens with one id, one token with two ids
 */
export function addedTokensFromJson(file: Fields, config: Fields | undefined, vocabulary: Vocabulary): AddedToken[] {
  const tokens = new Map<number, AddedToken>()
  const ids = new Map<string, number>()
  const add = (token: AddedToken, path: string) => {
    const { id, content } = token
    if (content === '') throw new TokenizerFormatError({ found: 'an empty added token', expected: 'at least one character', field: path })
    if (content.length > MAX_CONTENT_LENGTH)
      throw new TokenizerFormatError({
        found: `an added token of ${content.length} characters`,
        expected: `at most ${MAX_CONTENT_LENGTH}`,
        field: path,
      })
    if (id > MAX_TOKEN_ID) throw new TokenizerFormatError({ found: `the id ${id}`, expected: `at most ${MAX_TOKEN_ID}`, field: path })
    const otherId = ids.get(content) ?? vocabulary.idOf(content)
    const other = tokens.get(id)
    if ((otherId !== undefined && otherId !== id) || (other !== undefined && other.content !== content))
      throw new TokenizerFormatError({
        found: `the token ${JSON.stringify(content)} with id ${id} beside ${JSON.stringify(other?.content ?? content)} with id ${otherId ?? id}`,
        expected: 'one id for each token',
        field: path,
      })
    tokens.set(id, token)
    ids.set(content, id)
  }
  if (file.values.has('added_tokens')) {
    for (const [i, value] of listField(file, 'added_tokens').entries()) {
      const path = `${pathOf(file, 'added_tokens')}[${i}]`
      const fields = fieldsOf(value, path)
      add(readToken(fields, countField(fields, 'id')), path)
    }
  }
  const extra = config?.values.get('added_tokens_decoder')
  for (const [key, value] of extra === undefined || extra === null ? [] : fieldsOf(extra, 'added_tokens_decoder').values) {
    const path = `added_tokens_decoder.${key}`
    const id = Number(key)
    if (!/^\d+$/.test(key)) throw new TokenizerFormatError({ found: JSON.stringify(key), expected: 'an id', field: path })
    if (!tokens.has(id)) add(readToken(fieldsOf(value, path), id), path)
  }
  return [...tokens.values()]
}

function readToken(fields: Fields, id: number): AddedToken {
  // Some files carry a mark of the class that wrote them.
  refuseUnknownFields(fields, [...FIELDS, '__type'])
  const special = booleanField(fields, 'special', false)
  return {
    id,
    content: stringField(fields, 'content'),
    special,
    normalized: booleanField(fields, 'normalized', !special),
    lstrip: booleanField(fields, 'lstrip', false),
    rstrip: booleanField(fields, 'rstrip', false),
    singleWord: booleanField(fields, 'single_word', false),
  }
}
