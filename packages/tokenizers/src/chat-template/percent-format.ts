/** Python's `%` formatting of text, as the operator and as the filter `format`. */
import { type MarkedText, plainText, sliceText, TextBuilder } from './marked-text.ts'
import { printed, represented } from './python-text.ts'
import { dictKey, evaluationError, isDict, numberOf, typeName, type Value } from './value.ts'
import type { WorkMeter } from './work-meter.ts'

const CONVERSION = /%(?:\(([^()%]*)\))?([-+ 0#]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/y

/**
 * @param args     values for the conversions without a name
 * @param mapping  where conversions with a name (`%(key)s`) look
 */
export function formatPercent(format: MarkedText, args: readonly Value[], mapping: Value, meter: WorkMeter): MarkedText {
  const builder = new TextBuilder()
  let next = 0
  let position = 0
  meter.scan(format.text.length)
  for (let percent = format.text.indexOf('%'); percent >= 0; percent = format.text.indexOf('%', position)) {
    builder.add(sliceText(format, position, percent))
    CONVERSION.lastIndex = percent
    const match = CONVERSION.exec(format.text)
    if (match === null) throw evaluationError(`a wrong conversion at position ${percent} of a format`, '%s, %d, %f or the like')
    const [whole, name, flags = '', width, precision, type = ''] = match
    position = percent + whole.length
    if (type === '%') {
      builder.addString('%', false)
      continue
    }
    const value = name === undefined ? args[next++] : isDict(mapping) ? mapping.entries.get(dictKey(plainText(name)))?.value : undefined
    if (value === undefined) throw evaluationError('fewer values than conversions in a format', 'a value for each')
    const places = width === undefined ? 0 : Number(width)
    meter.makeText(builder.length + places + Number(precision ?? 0))
    builder.add(pad(convert(type, value, flags, precision === undefined ? undefined : Number(precision), meter), places, flags))
  }
  builder.add(sliceText(format, position))
  if (next < args.length && next > 0) throw evaluationError('more values than conversions in a format', 'a conversion for each')
  return builder.finish()
}

function convert(type: string, value: Value, flags: string, precision: number | undefined, meter: WorkMeter): MarkedText {
  if (type === 's' || type === 'r') {
    const text = type === 's' ? printed(value, meter) : represented(value, meter)
    return precision === undefined ? text : sliceText(text, 0, Math.min(precision, text.text.length))
  }
  const number = numberOf(value)
  if (number === undefined) throw evaluationError(`${typeName(value)} for %${type}`, 'a number')
  const sign = number < 0 ? '' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  switch (type) {
    case 'd':
    case 'i':
      return plainText(sign + String(Math.trunc(number)))
    case 'x':
      return plainText(sign + Math.trunc(number).toString(16))
    case 'f':
    case 'F':
      return plainText(sign + number.toFixed(Math.min(precision ?? 6, 100)))
    default:
      throw evaluationError(`the conversion %${type}`, '%s, %r, %d, %i, %x or %f')
  }
}

function pad(text: MarkedText, width: number, flags: string): MarkedText {
  const missing = width - text.text.length
  if (missing <= 0) return text
  const builder = new TextBuilder()
  if (flags.includes('-')) {
    builder.add(text)
    builder.addString(' '.repeat(missing), false)
    return builder.finish()
  }
  const isSigned = /^[-+ ]/.test(text.text) && flags.includes('0')
  if (isSigned) builder.add(sliceText(text, 0, 1))
  builder.addString((flags.includes('0') ? '0' : ' ').repeat(missing), false)
  builder.add(isSigned ? sliceText(text, 1) : text)
  return builder.finish()
}
