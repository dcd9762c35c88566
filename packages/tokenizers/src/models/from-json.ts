import { type ComponentReader, componentFromJson } from '../component-from-json.ts'
import { TokenizerFormatError, UnsupportedTokenizerError } from '../errors.ts'
import {
  booleanField,
  countField,
  type Fields,
  fieldsOf,
  listField,
  listOf,
  optionalStringField,
  pathOf,
  stringField,
  wrongKind,
} from '../json-fields.ts'
import { makeVocabulary, type Vocabulary } from '../vocabulary.ts'
import { makeBpe } from './bpe.ts'
import type { IsReserved, Model } from './model.ts'
import { makeUnigram } from './unigram.ts'
import { makeWordLevel } from './word-level.ts'
import { makeWordPiece } from './word-piece.ts'

/** A model whose vocabulary is known, but not yet which of its tokens are special. */
export type UnfinishedModel = { readonly vocabulary: Vocabulary; readonly finish: (isReserved: IsReserved) => Model }

const BPE_FIELDS = [
  'vocab',
  'merges',
  'unk_token',
  'dropout',
  'continuing_subword_prefix',
  'end_of_word_suffix',
  'fuse_unk',
  'byte_fallback',
  'ignore_merges',
]

const READERS = new Map<string, ComponentReader<UnfinishedModel>>([
  ['BPE', { fields: BPE_FIELDS, read: readBpe }],
  ['Unigram', { fields: ['vocab', 'unk_id', 'byte_fallback'], read: readUnigram }],
  ['WordPiece', { fields: ['vocab', 'unk_token', 'continuing_subword_prefix', 'max_input_chars_per_word'], read: readWordPiece }],
  ['WordLevel', { fields: ['vocab', 'unk_token'], read: readWordLevel }],
])

/**
 * @throws {UnsupportedTokenizerError} a type or a field that is not known, or BPE with dropout
 * @throws {TokenizerFormatError} a vocabulary or merges that contradict themselves
 */
export function modelFromJson(json: unknown, path: string): UnfinishedModel {
  const fields = fieldsOf(json, path)
  // Files from before the types were written are told apart by what only one of them has.
  const type = fields.values.get('type') ?? legacyType(fields)
  return componentFromJson({ ...Object.fromEntries(fields.values), type }, path, 'model', READERS)
}

function legacyType({ values }: Fields): string | undefined {
  if (values.has('merges')) return 'BPE'
  if (Array.isArray(values.get('vocab'))) return 'Unigram'
  if (values.has('max_input_chars_per_word')) return 'WordPiece'
  return values.has('vocab') ? 'WordLevel' : undefined
}

function readVocabulary(fields: Fields): Vocabulary {
  const vocab = fieldsOf(fields.values.get('vocab'), pathOf(fields, 'vocab'))
  return makeVocabulary(vocab.values, (token) => `${vocab.path}[${JSON.stringify(token)}]`)
}

function readBpe(fields: Fields): UnfinishedModel {
  const dropout = fields.values.get('dropout')
  if (dropout !== undefined && dropout !== null && dropout !== 0)
    throw new UnsupportedTokenizerError({
      found: `a dropout of ${String(dropout)}, which makes encoding random`,
      expected: 'none',
      field: pathOf(fields, 'dropout'),
    })
  const vocabulary = readVocabulary(fields)
  const unknownToken = optionalStringField(fields, 'unk_token')
  const options = {
    vocabulary,
    merges: readMerges(fields),
    fuseUnknown: booleanField(fields, 'fuse_unk', false),
    byteFallback: booleanField(fields, 'byte_fallback', false),
    ignoreMerges: booleanField(fields, 'ignore_merges', false),
    continuingPrefix: optionalStringField(fields, 'continuing_subword_prefix') ?? '',
    endSuffix: optionalStringField(fields, 'end_of_word_suffix') ?? '',
    ...(unknownToken === undefined ? {} : { unknownToken }),
  }
  return { vocabulary, finish: (isReserved) => makeBpe(options, isReserved) }
}

/** Merges as `["a b", …]` in older files, as `[["a", "b"], …]` in newer ones, which can also hold tokens with spaces. */
function readMerges(fields: Fields): (readonly [string, string])[] {
  const merges: (readonly [string, string])[] = []
  const path = pathOf(fields, 'merges')
  const list = listField(fields, 'merges')
  for (let i = 0; i < list.length; i++) {
    const merge = list[i]
    if (typeof merge === 'string' && merge.startsWith('#version')) continue
    const pair = typeof merge === 'string' ? merge.split(' ') : merge
    const [left, right] = Array.isArray(pair) && pair.length === 2 ? pair : []
    if (typeof left !== 'string' || typeof right !== 'string') throw wrongKind(merge, 'two tokens', `${path}[${i}]`)
    merges.push([left, right])
  }
  return merges
}

function readUnigram(fields: Fields): UnfinishedModel {
  const path = pathOf(fields, 'vocab')
  const list = listField(fields, 'vocab')
  const scores = new Float64Array(list.length)
  const entries: [string, number][] = []
  for (let id = 0; id < list.length; id++) {
    const [token, score] = listOf(list[id], `${path}[${id}]`)
    if (typeof token !== 'string' || typeof score !== 'number' || !Number.isFinite(score))
      throw wrongKind(list[id], 'a token and its score', `${path}[${id}]`)
    scores[id] = score
    entries.push([token, id])
  }
  const vocabulary = makeVocabulary(entries, (token) => `${path}[${JSON.stringify(token)}]`)
  const hasUnknown = fields.values.get('unk_id') !== undefined && fields.values.get('unk_id') !== null
  const unknown = hasUnknown ? { unknownId: countField(fields, 'unk_id') } : {}
  if (unknown.unknownId !== undefined && unknown.unknownId >= list.length)
    throw new TokenizerFormatError({
      found: `the id ${unknown.unknownId}`,
      expected: `less than ${list.length}`,
      field: pathOf(fields, 'unk_id'),
    })
  const options = { vocabulary, scores, ...unknown, byteFallback: booleanField(fields, 'byte_fallback', false) }
  return { vocabulary, finish: (isReserved) => makeUnigram(options, isReserved) }
}

function readWordPiece(fields: Fields): UnfinishedModel {
  const vocabulary = readVocabulary(fields)
  const options = {
    vocabulary,
    unknownToken: stringField(fields, 'unk_token', '[UNK]'),
    continuingPrefix: stringField(fields, 'continuing_subword_prefix', '##'),
    maxCharacters: countField(fields, 'max_input_chars_per_word', 100),
  }
  return { vocabulary, finish: (isReserved) => makeWordPiece(options, isReserved) }
}

function readWordLevel(fields: Fields): UnfinishedModel {
  const vocabulary = readVocabulary(fields)
  const unknownToken = stringField(fields, 'unk_token', '<unk>')
  return { vocabulary, finish: (isReserved) => makeWordLevel({ vocabulary, unknownToken }, isReserved) }
}
