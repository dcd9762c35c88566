import { type ComponentReader, componentFromJson } from '../component-from-json.ts'
import { TokenizerFormatError } from '../errors.ts'
import { countOf, type Fields, fieldsOf, listField, listOf, pathOf, stringField, wrongKind } from '../json-fields.ts'
import { emptyPostProcessor, type PostProcessor, sequencePostProcessor, surroundingPostProcessor } from './post-processor.ts'
import { type TemplatePart, templatePostProcessor } from './template.ts'

const READERS = new Map<string, ComponentReader<PostProcessor>>([
  ['Sequence', { fields: ['processors'], read: readSequence }],
  ['TemplateProcessing', { fields: ['single', 'pair', 'special_tokens'], read: readTemplate }],
  ['BertProcessing', { fields: ['sep', 'cls'], read: readSurrounding }],
  ['RobertaProcessing', { fields: ['sep', 'cls', 'trim_offsets', 'add_prefix_space'], read: readSurrounding }],
  ['ByteLevel', { fields: ['add_prefix_space', 'trim_offsets', 'use_regex'], read: emptyPostProcessor }],
])

/** @throws {UnsupportedTokenizerError} a type or a field that is not known */
export function postProcessorFromJson(json: unknown, path: string): PostProcessor {
  return componentFromJson(json, path, 'post-processor', READERS)
}

function readSequence(fields: Fields): PostProcessor {
  const path = pathOf(fields, 'processors')
  return sequencePostProcessor(listField(fields, 'processors').map((stage, i) => postProcessorFromJson(stage, `${path}[${i}]`)))
}

/** `[CLS] text [SEP]`; RoBERTa's differs for pairs only. */
function readSurrounding(fields: Fields): PostProcessor {
  const idOf = (name: string) => {
    const path = pathOf(fields, name)
    const pair = listOf(fields.values.get(name), path)
    if (pair.length !== 2 || typeof pair[0] !== 'string') throw wrongKind(pair, 'a token and its id', path)
    return countOf(pair[1], `${path}[1]`)
  }
  return surroundingPostProcessor([idOf('cls')], [idOf('sep')])
}

/** The template of a single text; that of a pair is checked for its form only. */
function readTemplate(fields: Fields): PostProcessor {
  const special = readSpecialTokens(fields)
  readParts(fields, 'pair', special)
  return templatePostProcessor(readParts(fields, 'single', special))
}

function readSpecialTokens(fields: Fields): Map<string, readonly number[]> {
  const special = new Map<string, readonly number[]>()
  const entries = fieldsOf(fields.values.get('special_tokens') ?? {}, pathOf(fields, 'special_tokens'))
  for (const [name, value] of entries.values) {
    const token = fieldsOf(value, pathOf(entries, name))
    special.set(
      name,
      listField(token, 'ids').map((id, i) => countOf(id, `${pathOf(token, 'ids')}[${i}]`)),
    )
  }
  return special
}

function readParts(fields: Fields, name: string, special: ReadonlyMap<string, readonly number[]>): TemplatePart[] {
  if (name === 'pair' && !fields.values.has('pair')) return []
  return listField(fields, name).map((value, i) => {
    const path = `${pathOf(fields, name)}[${i}]`
    const part = fieldsOf(value, path)
    if (part.values.has('Sequence')) {
      const sequence = stringField(fieldsOf(part.values.get('Sequence'), `${path}.Sequence`), 'id')
      if (sequence !== 'A' && (name === 'single' || sequence !== 'B')) throw wrongKind(sequence, 'the sequence A', `${path}.Sequence.id`)
      return { kind: 'text' }
    }
    const id = stringField(fieldsOf(part.values.get('SpecialToken'), `${path}.SpecialToken`), 'id')
    const ids = special.get(id)
    if (ids === undefined)
      throw new TokenizerFormatError({
        found: JSON.stringify(id),
        expected: 'a name from special_tokens',
        field: `${path}.SpecialToken.id`,
      })
    return { kind: 'special', ids }
  })
}
