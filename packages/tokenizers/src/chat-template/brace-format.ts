/** `str.format` with positions and names; format specifications are limited to width, alignment and `d`, `s`, `.Nf`. */
import { type MarkedText, plainText, sliceText, TextBuilder } from './marked-text.ts'
import { printed } from './python-text.ts'
import { justifyText } from './text-operations.ts'
import { type CallArguments, evaluationError, numberOf, type Value } from './value.ts'
import type { WorkMeter } from './work-meter.ts'

const FIELD = /\{([^{}:!]*)(?::([^{}]*))?\}|\{\{|\}\}/y
const SPECIFICATION = /^([<>^])?(0)?(\d+)?(?:\.(\d+))?([dsf])?$/

export function formatBraces(format: MarkedText, { positional, keyword }: CallArguments, meter: WorkMeter): MarkedText {
  const builder = new TextBuilder()
  let automatic = 0
  let position = 0
  meter.scan(format.text.length)
  for (let brace = nextBrace(format.text, 0); brace >= 0; brace = nextBrace(format.text, position)) {
    builder.add(sliceText(format, position, brace))
    FIELD.lastIndex = brace
    const match = FIELD.exec(format.text)
    if (match === null) throw evaluationError(`a wrong field at position ${brace} of a format`, '{}, {0} or {name}')
    const [whole, name, specification = ''] = match
    position = brace + whole.length
    if (name === undefined) {
      builder.addString(whole.slice(0, 1), false)
      continue
    }
    const value = name === '' ? positional[automatic++] : /^\d+$/.test(name) ? positional[Number(name)] : keyword.get(name)
    if (value === undefined) throw evaluationError(`no value for {${name}}`, 'an argument of format')
    builder.add(fieldText(value, specification, meter))
    meter.makeText(builder.length)
  }
  builder.add(sliceText(format, position))
  return builder.finish()
}

function nextBrace(text: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x7b || code === 0x7d) return index
  }
  return -1
}

function fieldText(value: Value, specification: string, meter: WorkMeter): MarkedText {
  if (specification === '') return printed(value, meter)
  const match = SPECIFICATION.exec(specification)
  if (match === null) throw evaluationError(`the format specification ${specification}`, 'a width, an alignment, d, s or .Nf')
  const [, align, zero, width = '0', precision, type] = match
  const number = numberOf(value)
  const text =
    type === 'f' && number !== undefined ? plainText(number.toFixed(Math.min(Number(precision ?? 6), 100))) : printed(value, meter)
  const side = align === '<' ? 'left' : align === '^' ? 'center' : align === '>' || number !== undefined ? 'right' : 'left'
  return justifyText(text, Number(width), zero === undefined ? ' ' : '0', side, meter)
}
