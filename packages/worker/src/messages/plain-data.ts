/**
 * What may be sent: numbers, texts, arrays, typed arrays, blobs, plain objects and maps of these. Runtimes refuse functions with a message that
 * does not say where they were, and turn objects of classes into objects without methods; so options are looked through first.
 */
import { UnsendableError } from '../errors.ts'

/** @throws {UnsendableError} naming the place of the first value that cannot be sent */
export function requirePlainData(value: unknown, place: string): void {
  search(value, place, new Set())
}

function search(value: unknown, place: string, seen: Set<object>): void {
  if (typeof value === 'function') throw refusal(place, 'a function')
  if (typeof value === 'symbol') throw refusal(place, 'a symbol')
  if (typeof value !== 'object' || value === null || seen.has(value) || isCopiedWhole(value)) return
  seen.add(value)
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) search(each, `${place}[${index}]`, seen)
  } else if (value instanceof Map) {
    for (const [key, each] of value) search(each, `${place}.get(${JSON.stringify(key)})`, seen)
  } else if (value instanceof Set) {
    for (const each of value) search(each, place, seen)
  } else {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) throw refusal(place, `an object of the class ${className(value)}`)
    for (const [key, each] of Object.entries(value)) search(each, `${place}.${key}`, seen)
  }
}

function isCopiedWhole(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer) ||
    value instanceof Blob ||
    value instanceof Date ||
    value instanceof RegExp
  )
}

function className(value: object): string {
  return value.constructor?.name || 'without a name'
}

function refusal(field: string, found: string): UnsendableError {
  return new UnsendableError({ field, found, expected: 'plain data: for functions open the model in this thread, with loadCausalLM' })
}
