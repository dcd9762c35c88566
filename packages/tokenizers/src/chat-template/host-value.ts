/**
 * Values from JavaScript into templates: plain JSON data only, copied, so that a template sees nothing of the objects themselves.
 */
import { ChatTemplateError } from './chat-template-error.ts'
import { foreignText, plainText } from './marked-text.ts'
import { TemplateFloat } from './template-float.ts'
import { type DictKey, floatValue, listValue, type Value } from './value.ts'
import type { WorkMeter } from './work-meter.ts'

const MAX_DEPTH = 100

/** Roles are ids of the template's world (`user`, `system`): templates build control tokens of them, as in `'<|' + role + '|>'`. */
const IDENTIFIER = /^[\w.-]*$/

export interface HostOrigin {
  /** Whether the texts come from users rather than from the program: then control tokens in them are only text. */
  readonly isForeign: boolean
  /** Depth of the objects whose `role` is trusted when it is an identifier. */
  readonly roleDepth?: number
}

/** @throws {ChatTemplateError} reason `input` for functions, cycles, and integers that are not exact */
export function valueFromHost(value: unknown, path: string, origin: HostOrigin, meter: WorkMeter, depth = 0): Value {
  meter.spend(1)
  if (depth > MAX_DEPTH)
    throw new ChatTemplateError('input', `${path}: data nested more than ${MAX_DEPTH} deep, or in a cycle`, 'plain data')
  switch (typeof value) {
    case 'string':
      meter.makeText(value.length)
      return origin.isForeign ? foreignText(value) : plainText(value)
    case 'boolean':
      return value
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : floatValue(value)
    case 'bigint':
      if (BigInt(Number(value)) === value && Number.isSafeInteger(Number(value))) return Number(value)
      throw new ChatTemplateError('input', `${path}: the integer ${value}`, 'an integer below 2^53')
    case 'object':
      if (value === null) return null
      if (value instanceof TemplateFloat) return floatValue(value.value)
      if (Array.isArray(value))
        return listValue(value.map((item, index) => valueFromHost(item, `${path}[${index}]`, origin, meter, depth + 1)))
      return dictFromHost(value, path, origin, meter, depth)
    default:
      throw new ChatTemplateError('input', `${path}: a ${typeof value}`, 'plain data')
  }
}

function dictFromHost(value: object, path: string, origin: HostOrigin, meter: WorkMeter, depth: number): Value {
  const entries = new Map<DictKey, { key: Value; value: Value }>()
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    const isRole = depth === origin.roleDepth && key === 'role' && typeof item === 'string' && IDENTIFIER.test(item)
    const itemOrigin = isRole ? { isForeign: false } : origin
    entries.set(key, {
      key: origin.isForeign ? foreignText(key) : plainText(key),
      value: valueFromHost(item, `${path}.${key}`, itemOrigin, meter, depth + 1),
    })
  }
  return { kind: 'dict', entries }
}
