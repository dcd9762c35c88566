import { UnsupportedTokenizerError } from './errors.ts'
import { choiceField, countField, type Fields, fieldsOf, optionalFieldsOf, pathOf, refuseUnknownFields, wrongKind } from './json-fields.ts'
import type { Padding, Truncation } from './truncation.ts'

const DIRECTIONS = ['Left', 'Right'] as const

/** @throws {UnsupportedTokenizerError} the strategy `OnlySecond`, which has no meaning for a single text */
export function truncationFromJson(json: unknown, path: string): Truncation | undefined {
  const fields = optionalFieldsOf(json, path)
  if (fields === undefined) return undefined
  refuseUnknownFields(fields, ['direction', 'max_length', 'strategy', 'stride'])
  const strategy = choiceField(fields, 'strategy', ['LongestFirst', 'OnlyFirst', 'OnlySecond'] as const, 'LongestFirst')
  if (strategy === 'OnlySecond')
    throw new UnsupportedTokenizerError({ found: strategy, expected: 'LongestFirst or OnlyFirst', field: pathOf(fields, 'strategy') })
  return { maxLength: countField(fields, 'max_length'), direction: directionField(fields) }
}

export function paddingFromJson(json: unknown, path: string): Padding | undefined {
  const fields = optionalFieldsOf(json, path)
  if (fields === undefined) return undefined
  refuseUnknownFields(fields, ['strategy', 'direction', 'pad_to_multiple_of', 'pad_id', 'pad_type_id', 'pad_token'])
  const multiple = fields.values.get('pad_to_multiple_of')
  return {
    ...lengthOf(fields),
    ...(multiple === undefined || multiple === null ? {} : { multipleOf: boundedCount(fields, 'pad_to_multiple_of') }),
    direction: directionField(fields),
    id: countField(fields, 'pad_id', 0),
  }
}

/** Padding is written out: a hostile length must not become an allocation. */
const MAX_PADDED_LENGTH = 2 ** 24

function boundedCount(fields: Fields, name: string): number {
  const count = countField(fields, name)
  if (count > MAX_PADDED_LENGTH) throw wrongKind(count, `at most ${MAX_PADDED_LENGTH}`, pathOf(fields, name))
  return count
}

function lengthOf(fields: Fields): { length?: number } {
  const strategy = fields.values.get('strategy')
  if (strategy === 'BatchLongest') return {}
  const fixed = fieldsOf(strategy, pathOf(fields, 'strategy'))
  refuseUnknownFields(fixed, ['Fixed'])
  return { length: boundedCount(fixed, 'Fixed') }
}

function directionField(fields: Fields): 'left' | 'right' {
  return choiceField(fields, 'direction', DIRECTIONS, 'Right') === 'Left' ? 'left' : 'right'
}
