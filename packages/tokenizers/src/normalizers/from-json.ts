import { type ComponentReader, componentFromJson } from '../component-from-json.ts'
import { booleanField, type Fields, listField, optionalBooleanField, pathOf, stringField, wrongKind } from '../json-fields.ts'
import { patternField } from '../patterns/from-json.ts'
import { bertNormalizer } from './bert.ts'
import { byteLevelNormalizer } from './byte-level.ts'
import { lowercaseNormalizer } from './lowercase.ts'
import { nmtNormalizer } from './nmt.ts'
import { type Normalizer, sequenceNormalizer } from './normalizer.ts'
import { precompiledNormalizer } from './precompiled.ts'
import { prependNormalizer } from './prepend.ts'
import { replaceNormalizer } from './replace.ts'
import { stripAccentsNormalizer, stripNormalizer } from './strip.ts'
import { unicodeFormNormalizer } from './unicode-form.ts'

const READERS = new Map<string, ComponentReader<Normalizer>>([
  ['Sequence', { fields: ['normalizers'], read: readSequence }],
  ['NFC', { fields: [], read: () => unicodeFormNormalizer('NFC') }],
  ['NFD', { fields: [], read: () => unicodeFormNormalizer('NFD') }],
  ['NFKC', { fields: [], read: () => unicodeFormNormalizer('NFKC') }],
  ['NFKD', { fields: [], read: () => unicodeFormNormalizer('NFKD') }],
  ['Lowercase', { fields: [], read: lowercaseNormalizer }],
  [
    'Strip',
    {
      fields: ['strip_left', 'strip_right'],
      read: (fields) => stripNormalizer({ left: booleanField(fields, 'strip_left'), right: booleanField(fields, 'strip_right') }),
    },
  ],
  ['StripAccents', { fields: [], read: stripAccentsNormalizer }],
  ['Prepend', { fields: ['prepend'], read: (fields) => prependNormalizer(stringField(fields, 'prepend')) }],
  [
    'Replace',
    {
      fields: ['pattern', 'content'],
      read: (fields) => replaceNormalizer(patternField(fields, 'pattern'), stringField(fields, 'content')),
    },
  ],
  ['BertNormalizer', { fields: ['clean_text', 'handle_chinese_chars', 'strip_accents', 'lowercase'], read: readBert }],
  ['Nmt', { fields: [], read: nmtNormalizer }],
  ['Precompiled', { fields: ['precompiled_charsmap'], read: readPrecompiled }],
  ['ByteLevel', { fields: [], read: byteLevelNormalizer }],
])

/** @throws {UnsupportedTokenizerError} a type or a field that is not known */
export function normalizerFromJson(json: unknown, path: string): Normalizer {
  return componentFromJson(json, path, 'normalizer', READERS)
}

function readSequence(fields: Fields): Normalizer {
  const path = pathOf(fields, 'normalizers')
  return sequenceNormalizer(listField(fields, 'normalizers').map((stage, i) => normalizerFromJson(stage, `${path}[${i}]`)))
}

function readBert(fields: Fields): Normalizer {
  const lowercase = booleanField(fields, 'lowercase', true)
  return bertNormalizer({
    cleanText: booleanField(fields, 'clean_text', true),
    handleChineseCharacters: booleanField(fields, 'handle_chinese_chars', true),
    stripAccents: optionalBooleanField(fields, 'strip_accents') ?? lowercase,
    lowercase,
  })
}

function readPrecompiled(fields: Fields): Normalizer {
  const field = pathOf(fields, 'precompiled_charsmap')
  const text = stringField(fields, 'precompiled_charsmap')
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    throw wrongKind(text, 'base64', field)
  }
  return precompiledNormalizer(bytes, field)
}
