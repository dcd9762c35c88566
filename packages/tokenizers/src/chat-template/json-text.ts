/**
 * The filter `tojson` as transformers defines it: Python's `json.dumps` with `ensure_ascii` off and without HTML escapes.
 */
import { type MarkedText, mapStretches, TextBuilder } from './marked-text.ts'
import { floatText } from './python-text.ts'
import { type DictKey, evaluationError, typeName, undefinedError, type Value } from './value.ts'
import type { WorkMeter } from './work-meter.ts'

export interface JsonOptions {
  readonly ensureAscii: boolean
  /** What one level is indented by; undefined for everything on one line. */
  readonly indent: string | undefined
  readonly itemSeparator: string
  readonly keySeparator: string
  readonly sortKeys: boolean
}

const MAX_DEPTH = 200

export function jsonText(value: Value, options: JsonOptions, meter: WorkMeter): MarkedText {
  const builder = new TextBuilder()
  write(value, 0)
  return builder.finish()

  function write(current: Value, depth: number): void {
    meter.makeText(builder.length)
    if (depth > MAX_DEPTH) throw evaluationError('data nested without end', `at most ${MAX_DEPTH} levels`)
    if (current === null || typeof current !== 'object') {
      builder.addString(String(current), false)
      return
    }
    switch (current.kind) {
      case 'float':
        builder.addString(jsonFloat(current.value), false)
        break
      case 'text':
        writeText(current)
        break
      case 'list':
      case 'tuple':
        writeItems('[', ']', current.items, depth, (item) => write(item, depth + 1))
        break
      case 'dict': {
        let entries = [...current.entries.values()]
        if (options.sortKeys) entries = entries.sort((a, b) => compareKeys(keyText(a.key), keyText(b.key)))
        writeItems('{', '}', entries, depth, ({ key, value: item }) => {
          writeKey(key)
          builder.addString(options.keySeparator, false)
          write(item, depth + 1)
        })
        break
      }
      case 'undefined':
        throw undefinedError(current)
      default:
        throw evaluationError(`a value of type ${typeName(current)} for JSON`, 'plain data')
    }
  }

  function writeItems<T>(open: string, close: string, items: readonly T[], depth: number, writeItem: (item: T) => void): void {
    builder.addString(open, false)
    const lineBreak = options.indent === undefined || items.length === 0 ? '' : '\n'
    meter.makeText(builder.length + (options.indent ?? '').length * (depth + 1))
    const padding = lineBreak === '' ? '' : (options.indent ?? '').repeat(depth)
    items.forEach((item, index) => {
      if (index > 0) builder.addString(options.itemSeparator, false)
      if (lineBreak !== '') builder.addString(lineBreak + padding + options.indent, false)
      writeItem(item)
    })
    builder.addString(lineBreak + padding + close, false)
  }

  function writeText(text: MarkedText): void {
    meter.scan(text.text.length)
    builder.addString('"', false)
    builder.add(mapStretches(text, (stretch) => escapeStretch(stretch, options.ensureAscii)))
    builder.addString('"', false)
  }

  function writeKey(key: Value): void {
    if (typeof key === 'object' && key !== null && key.kind === 'text') writeText(key)
    else builder.addString(`"${keyText(key)}"`, false)
  }
}

function keyText(key: Value): string {
  if (key === null) return 'null'
  if (typeof key !== 'object') return String(key)
  if (key.kind === 'text') return key.text
  return key.kind === 'float' ? jsonFloat(key.value) : ''
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  return floatText(value)
}

function compareKeys(a: DictKey, b: DictKey): number {
  if (a === b) return 0
  return String(a) < String(b) ? -1 : 1
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\b', '\\b'],
  ['\f', '\\f'],
])

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes exactly these.
const ALWAYS_ESCAPED = /["\\\x00-\x1f]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: everything outside of printable ASCII.
const ASCII_ESCAPED = /["\\\x00-\x1f\x7f-\uffff]/g

function escapeStretch(text: string, ensureAscii: boolean): string {
  return text.replace(ensureAscii ? ASCII_ESCAPED : ALWAYS_ESCAPED, (character) => {
    return SHORT_ESCAPES.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
