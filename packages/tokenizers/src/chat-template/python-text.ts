/** How Python writes values: `str`, `repr`, `json.dumps` and `%` formatting, as far as chat templates use them. */
import { ChatTemplateError } from './chat-template-error.ts'
import type { StepBudget } from './step-budget.ts'
import { isDict, isList, isNumber, isText, isTuple, isUndefined, type NumberValue, type Value } from './values.ts'

export interface JsonLayout {
  readonly ensureAscii: boolean
  /** What one level is indented by; undefined for everything on one line. */
  readonly indent?: string
  readonly separators: readonly [item: string, key: string]
  readonly sortKeys: boolean
  /** Characters that are never escaped. */
  readonly standIns: ReadonlyMap<string, string>
}

const MAX_DEPTH = 200

export function pythonText(value: Value, budget: StepBudget): string {
  if (isText(value)) return value.value
  if (isUndefined(value)) return ''
  return write(value, budget, scalarText, quoted, { separators: [', ', ': '], sortKeys: false })
}

export function jsonText(value: Value, layout: JsonLayout, budget: StepBudget): string {
  const text = (raw: string) => {
    const json = JSON.stringify(raw)
    return layout.ensureAscii ? json.replace(/[\x7f-\uffff]/g, (unit) => (layout.standIns.has(unit) ? unit : escapeUnit(unit))) : json
  }
  return write(value, budget, jsonScalar, text, layout)
}

type Layout = Pick<JsonLayout, 'indent' | 'separators' | 'sortKeys'>

function write(root: Value, budget: StepBudget, scalar: (value: Value) => string, quote: (text: string) => string, layout: Layout): string {
  const isJson = scalar === jsonScalar
  const { indent, separators, sortKeys } = layout
  let length = 0
  const count = (characters: number): void => {
    length += characters
    budget.joinText(length)
    budget.spend(1 + (characters >>> 5))
  }
  const leaf = (text: string): string => {
    count(text.length)
    return text
  }
  const visit = (value: Value, depth: number): string => {
    if (depth > MAX_DEPTH) throw new ChatTemplateError('limit', 'data nested without end', `at most ${MAX_DEPTH} levels`)
    if (isText(value)) return leaf(quote(value.value))
    if (isList(value)) {
      const isBracketed = isJson || !isTuple(value)
      const items = value.value.map((item) => visit(item, depth + 1))
      return isBracketed ? around('[', items, ']', depth) : around('(', items, items.length === 1 ? ',)' : ')', depth)
    }
    if (!isDict(value)) return leaf(scalar(value))
    const entries = [...value.value]
    if (sortKeys) entries.sort(([one], [other]) => (one < other ? -1 : 1))
    const items = entries.map(([key, item]) => leaf(quote(key) + separators[1]) + visit(item, depth + 1))
    return around('{', items, '}', depth)
  }
  const around = (open: string, items: string[], close: string, depth: number): string => {
    const lineLength = indent === undefined ? 0 : 1 + indent.length * (depth + 1)
    count(2 + (separators[0].length + lineLength) * items.length)
    if (indent === undefined || items.length === 0) return open + items.join(separators[0]) + close
    const line = `\n${indent.repeat(depth)}`
    return open + line + indent + items.join(separators[0] + line + indent) + line + close
  }
  return visit(root, 0)
}

function scalarText(value: Value): string {
  if (value.type === 'NullValue') return 'None'
  if (value.type === 'BooleanValue') return value.value === true ? 'True' : 'False'
  if (isNumber(value)) return numberText(value, 'inf', 'nan')
  if (isUndefined(value)) return 'Undefined'
  throw new Error('cannot print a function')
}

function jsonScalar(value: Value): string {
  if (value.type === 'NullValue') return 'null'
  if (value.type === 'BooleanValue') return String(value.value)
  if (isNumber(value)) return numberText(value, 'Infinity', 'NaN')
  throw new Error(isUndefined(value) ? 'an undefined value is no JSON' : 'a function is no JSON')
}

function numberText({ type, value }: NumberValue, infinity: string, notANumber: string): string {
  if (Number.isNaN(value)) return notANumber
  if (!Number.isFinite(value)) return value < 0 ? `-${infinity}` : infinity
  if (type === 'IntegerValue') return Number.isSafeInteger(value) ? String(value) : String(BigInt(value))
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  if (Number.isInteger(value)) return `${Object.is(value, -0) ? '-0' : value}.0`
  return String(value)
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Python escapes exactly these.
  const escaped = text.replace(/[\\\x00-\x1f\x7f-\xa0\xad]/g, (unit) => {
    return ESCAPES.get(unit) ?? `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** `format % args` for the conversions s, r, d, i and f, without widths. */
export function percentFormat(format: string, args: readonly Value[], budget: StepBudget): string {
  let used = 0
  let length = format.length
  const text = format.replace(/%(?:\.(\d\d?))?(.?)/gs, (directive: string, precision: string | undefined, kind: string) => {
    if (directive === '%%') return '%'
    const value = args[used++]
    if (value === undefined) throw new Error('not enough arguments for the format')
    if (precision === undefined && kind === 's') {
      const text = pythonText(value, budget)
      length += text.length
      budget.joinText(length)
      return text
    }
    if (precision === undefined && kind === 'r') return isText(value) ? quoted(value.value) : pythonText(value, budget)
    if (isNumber(value) && precision === undefined && (kind === 'd' || kind === 'i')) return String(Math.trunc(value.value))
    if (isNumber(value) && kind === 'f') return value.value.toFixed(Number(precision ?? 6))
    throw new Error(`the format ${directive} of ${value.type}`)
  })
  if (used < args.length) throw new Error('not all arguments were used by the format')
  budget.makeText(text.length)
  return text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts the separators U+001C to U+001F as white space.
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

/** @param characters  what to take away; undefined for Python's white space, which differs from JavaScript's */
export function strip(text: string, side: 'left' | 'right' | 'both', characters?: string): string {
  const goes = (unit: string | undefined) => unit !== undefined && (characters === undefined ? SPACE.test(unit) : characters.includes(unit))
  let start = 0
  let end = text.length
  if (side !== 'right') while (start < end && goes(text[start])) start++
  if (side !== 'left') while (end > start && goes(text[end - 1])) end--
  return text.slice(start, end)
}
