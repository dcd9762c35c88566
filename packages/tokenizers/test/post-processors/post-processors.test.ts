import { expect, test } from 'vitest'
import { postProcessorFromJson } from '../../src/post-processors/from-json.ts'

const process = (json: unknown, ids: number[]) => postProcessorFromJson(json, 'post_processor').process(ids)

const BERT = { type: 'BertProcessing', sep: ['[SEP]', 9], cls: ['[CLS]', 8] }

test('TemplateProcessing puts special tokens, of several ids too, around the text', () => {
  const json = {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: 'start', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: 'end', type_id: 0 } },
    ],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { start: { id: 'start', ids: [7, 8], tokens: ['x', 'y'] }, end: { id: 'end', ids: [9], tokens: ['z'] } },
  }
  expect(process(json, [1, 2])).toEqual([7, 8, 1, 2, 9])
  expect(postProcessorFromJson(json, '').addedCount).toBe(3)
})

test('BertProcessing and RobertaProcessing surround a single text alike', () => {
  expect(process(BERT, [1])).toEqual([8, 1, 9])
  expect(process({ ...BERT, type: 'RobertaProcessing', trim_offsets: true, add_prefix_space: false }, [1])).toEqual([8, 1, 9])
})

test('Sequence and ByteLevel', () => {
  const json = { type: 'Sequence', processors: [{ type: 'ByteLevel', add_prefix_space: true, trim_offsets: true }, BERT] }
  expect(process(json, [1])).toEqual([8, 1, 9])
  expect(postProcessorFromJson(json, '').addedCount).toBe(2)
})
