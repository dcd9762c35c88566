import { type ComponentReader, componentFromJson } from '../component-from-json.ts'
import { TokenizerFormatError } from '../errors.ts'
import {
  booleanField,
  characterField,
  choiceField,
  countField,
  type Fields,
  listField,
  optionalBooleanField,
  pathOf,
} from '../json-fields.ts'
import { patternField } from '../patterns/from-json.ts'
import { literalPattern } from '../patterns/text-pattern.ts'
import { byteLevelPreTokenizer } from './byte-level.ts'
import { fixedLengthPreTokenizer } from './fixed-length.ts'
import { metaspacePreTokenizer, type PrependScheme } from './metaspace.ts'
import { type PreTokenizer, sequencePreTokenizer } from './pre-tokenizer.ts'
import { bertPreTokenizer, punctuationPreTokenizer } from './punctuation.ts'
import { characterDelimiterPreTokenizer, digitsPreTokenizer, splitPreTokenizer } from './split.ts'
import { SPLIT_BEHAVIORS } from './split-behavior.ts'
import { unicodeScriptsPreTokenizer } from './unicode-scripts.ts'
import { whitespacePreTokenizer, whitespaceSplitPreTokenizer } from './whitespace.ts'

const READERS = new Map<string, ComponentReader<PreTokenizer>>([
  ['Sequence', { fields: ['pretokenizers'], read: readSequence }],
  ['ByteLevel', { fields: ['add_prefix_space', 'trim_offsets', 'use_regex'], read: readByteLevel }],
  ['BertPreTokenizer', { fields: [], read: bertPreTokenizer }],
  ['Whitespace', { fields: [], read: whitespacePreTokenizer }],
  ['WhitespaceSplit', { fields: [], read: whitespaceSplitPreTokenizer }],
  ['Metaspace', { fields: ['replacement', 'prepend_scheme', 'add_prefix_space', 'split', 'str_rep'], read: readMetaspace }],
  [
    'Punctuation',
    { fields: ['behavior'], read: (fields) => punctuationPreTokenizer(choiceField(fields, 'behavior', SPLIT_BEHAVIORS, 'Isolated')) },
  ],
  ['Split', { fields: ['pattern', 'behavior', 'invert'], read: readSplit }],
  ['Digits', { fields: ['individual_digits'], read: (fields) => digitsPreTokenizer(booleanField(fields, 'individual_digits', false)) }],
  [
    'CharDelimiterSplit',
    { fields: ['delimiter'], read: (fields) => characterDelimiterPreTokenizer(literalPattern(characterField(fields, 'delimiter'))) },
  ],
  ['UnicodeScripts', { fields: [], read: unicodeScriptsPreTokenizer }],
  ['FixedLength', { fields: ['length'], read: (fields) => fixedLengthPreTokenizer(countField(fields, 'length', 5, 1)) }],
])

/** @throws {UnsupportedTokenizerError} a type or a field that is not known */
export function preTokenizerFromJson(json: unknown, path: string): PreTokenizer {
  return componentFromJson(json, path, 'pre-tokenizer', READERS)
}

function readSequence(fields: Fields): PreTokenizer {
  const path = pathOf(fields, 'pretokenizers')
  return sequencePreTokenizer(listField(fields, 'pretokenizers').map((stage, i) => preTokenizerFromJson(stage, `${path}[${i}]`)))
}

function readByteLevel(fields: Fields): PreTokenizer {
  return byteLevelPreTokenizer({
    addPrefixSpace: booleanField(fields, 'add_prefix_space', true),
    useRegex: booleanField(fields, 'use_regex', true),
  })
}

function readSplit(fields: Fields): PreTokenizer {
  const behavior = choiceField(fields, 'behavior', SPLIT_BEHAVIORS)
  return splitPreTokenizer(patternField(fields, 'pattern'), behavior, booleanField(fields, 'invert', false))
}

function readMetaspace(fields: Fields): PreTokenizer {
  const { replacement, prependScheme } = readMetaspaceMarks(fields)
  return metaspacePreTokenizer({ replacement, prependScheme, split: booleanField(fields, 'split', true) })
}

const PREPEND_SCHEMES: readonly PrependScheme[] = ['always', 'first', 'never']

/** What the pre-tokenizer and the decoder `Metaspace` have in common. Older files say `add_prefix_space` instead of a scheme. */
export function readMetaspaceMarks(fields: Fields): { replacement: string; prependScheme: PrependScheme } {
  const scheme = choiceField(fields, 'prepend_scheme', PREPEND_SCHEMES, 'always')
  const addsPrefix = optionalBooleanField(fields, 'add_prefix_space') ?? true
  if (!addsPrefix && fields.values.has('prepend_scheme') && scheme !== 'never')
    throw new TokenizerFormatError({
      found: `add_prefix_space false beside the prepend_scheme ${scheme}`,
      expected: 'two settings that agree',
      field: pathOf(fields, 'prepend_scheme'),
    })
  return { replacement: characterField(fields, 'replacement', '▁'), prependScheme: addsPrefix ? scheme : 'never' }
}
