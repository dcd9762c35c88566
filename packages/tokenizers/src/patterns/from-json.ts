import { TokenizerFormatError } from '../errors.ts'
import { type Fields, fieldsOf, pathOf, refuseUnknownFields, stringField } from '../json-fields.ts'
import { compilePattern, literalPattern, type TextPattern } from './text-pattern.ts'

/** A field like `{"String": " "}` or `{"Regex": " +"}`. */
export function patternField(fields: Fields, name: string): TextPattern {
  const pattern = fieldsOf(fields.values.get(name), pathOf(fields, name))
  refuseUnknownFields(pattern, ['String', 'Regex'])
  if (pattern.values.has('Regex')) return compilePattern(stringField(pattern, 'Regex'), pathOf(pattern, 'Regex'))
  const literal = stringField(pattern, 'String')
  if (literal === '')
    throw new TokenizerFormatError({ found: 'an empty string to search for', expected: 'at least one character', field: pattern.path })
  return literalPattern(literal)
}
