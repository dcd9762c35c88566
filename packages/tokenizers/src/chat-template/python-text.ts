/** How Python writes values: `str`, `repr`, and numbers. */
import { EMPTY_TEXT, type MarkedText, mapStretches, TextBuilder } from './marked-text.ts'
import { evaluationError, isText, type Value } from './value.ts'
import type { WorkMeter } from './work-meter.ts'

/** `str(value)`: what an expression prints. */
export function printed(value: Value, meter: WorkMeter): MarkedText {
  if (isText(value)) return value
  if (typeof value === 'object' && value !== null && value.kind === 'undefined') return EMPTY_TEXT
  return represented(value, meter)
}

/** `repr(value)`: what a list prints of its elements. */
export function represented(value: Value, meter: WorkMeter): MarkedText {
  const builder = new TextBuilder()
  represent(value, builder, meter)
  return builder.finish()
}

function represent(value: Value, builder: TextBuilder, meter: WorkMeter): void {
  meter.makeText(builder.length)
  if (value === null || typeof value !== 'object') {
    builder.addString(scalarText(value), false)
    return
  }
  switch (value.kind) {
    case 'text':
      meter.scan(value.text.length)
      builder.add(quoted(value))
      break
    case 'float':
      builder.addString(floatText(value.value), false)
      break
    case 'undefined':
      builder.addString('Undefined', false)
      break
    case 'list':
    case 'tuple': {
      builder.addString(value.kind === 'list' ? '[' : '(', false)
      value.items.forEach((item, index) => {
        if (index > 0) builder.addString(', ', false)
        represent(item, builder, meter)
      })
      builder.addString(value.kind === 'list' ? ']' : value.items.length === 1 ? ',)' : ')', false)
      break
    }
    case 'dict': {
      builder.addString('{', false)
      let isFirst = true
      for (const { key, value: item } of value.entries.values()) {
        if (!isFirst) builder.addString(', ', false)
        isFirst = false
        represent(key, builder, meter)
        builder.addString(': ', false)
        represent(item, builder, meter)
      }
      builder.addString('}', false)
      break
    }
    default:
      throw evaluationError(`a value of type ${value.kind} that is printed`, 'text, a number, a list or a dict')
  }
}

function scalarText(value: null | boolean | number): string {
  if (value === null) return 'None'
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)
}

const MUST_BE_ESCAPED = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu
const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function quoted(source: MarkedText): MarkedText {
  const quote = source.text.includes("'") && !source.text.includes('"') ? '"' : "'"
  const inner = mapStretches(source, (text) => {
    const escaped = text.replace(MUST_BE_ESCAPED, escapeCharacter)
    return quote === "'" ? escaped.replaceAll("'", "\\'") : escaped
  })
  const builder = new TextBuilder()
  builder.addString(quote, false)
  builder.add(inner)
  builder.addString(quote, false)
  return builder.finish()
}

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES.get(character)
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** The shortest digits that give the number back, in Python's choice between plain and exponent form. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  const [mantissa = '0', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  const sign = value < 0 ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}
