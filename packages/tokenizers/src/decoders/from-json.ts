import { type ComponentReader, componentFromJson } from '../component-from-json.ts'
import { booleanField, characterField, countField, type Fields, listField, pathOf, stringField } from '../json-fields.ts'
import { patternField } from '../patterns/from-json.ts'
import { readMetaspaceMarks } from '../pre-tokenizers/from-json.ts'
import { bpeDecoder } from './bpe.ts'
import { byteFallbackDecoder } from './byte-fallback.ts'
import { byteLevelDecoder } from './byte-level.ts'
import { ctcDecoder } from './ctc.ts'
import { type Decoder, sequenceDecoder } from './decoder.ts'
import { fuseDecoder } from './fuse.ts'
import { metaspaceDecoder } from './metaspace.ts'
import { replaceDecoder } from './replace.ts'
import { stripDecoder } from './strip.ts'
import { wordPieceDecoder } from './word-piece.ts'

const READERS = new Map<string, ComponentReader<Decoder>>([
  ['Sequence', { fields: ['decoders'], read: readSequence }],
  ['ByteLevel', { fields: ['add_prefix_space', 'trim_offsets', 'use_regex'], read: byteLevelDecoder }],
  ['Metaspace', { fields: ['replacement', 'prepend_scheme', 'add_prefix_space', 'split', 'str_rep'], read: readMetaspace }],
  ['WordPiece', { fields: ['prefix', 'cleanup'], read: readWordPiece }],
  ['BPEDecoder', { fields: ['suffix'], read: (fields) => bpeDecoder(stringField(fields, 'suffix', '</w>')) }],
  ['ByteFallback', { fields: [], read: byteFallbackDecoder }],
  ['Fuse', { fields: [], read: fuseDecoder }],
  ['Strip', { fields: ['content', 'start', 'stop'], read: readStrip }],
  [
    'Replace',
    { fields: ['pattern', 'content'], read: (fields) => replaceDecoder(patternField(fields, 'pattern'), stringField(fields, 'content')) },
  ],
  ['CTC', { fields: ['pad_token', 'word_delimiter_token', 'cleanup'], read: readCtc }],
])

/** @throws {UnsupportedTokenizerError} a type or a field that is not known */
export function decoderFromJson(json: unknown, path: string): Decoder {
  return componentFromJson(json, path, 'decoder', READERS)
}

function readSequence(fields: Fields): Decoder {
  const path = pathOf(fields, 'decoders')
  return sequenceDecoder(listField(fields, 'decoders').map((stage, i) => decoderFromJson(stage, `${path}[${i}]`)))
}

function readMetaspace(fields: Fields): Decoder {
  const { replacement, prependScheme } = readMetaspaceMarks(fields)
  return metaspaceDecoder({ replacement, dropsFirst: prependScheme !== 'never' })
}

function readWordPiece(fields: Fields): Decoder {
  return wordPieceDecoder({ prefix: stringField(fields, 'prefix', '##'), cleanup: booleanField(fields, 'cleanup', true) })
}

function readStrip(fields: Fields): Decoder {
  return stripDecoder({
    content: characterField(fields, 'content'),
    start: countField(fields, 'start', 0),
    stop: countField(fields, 'stop', 0),
  })
}

function readCtc(fields: Fields): Decoder {
  return ctcDecoder({
    padToken: stringField(fields, 'pad_token', '<pad>'),
    wordDelimiter: stringField(fields, 'word_delimiter_token', '|'),
    cleanup: booleanField(fields, 'cleanup', true),
  })
}
