/** Reading the arguments of filters, methods and functions by position or name. */
import type { MarkedText } from './marked-text.ts'
import { type CallArguments, evaluationError, isText, isUndefined, typeName, undefinedError, type Value } from './value.ts'

export class ArgumentReader {
  readonly callee: string
  readonly names: readonly string[]
  readonly #values: (Value | undefined)[]

  /** @param names  all parameters in their order; arguments that are none of them are refused */
  constructor(callee: string, { positional, keyword }: CallArguments, names: readonly string[]) {
    this.callee = callee
    this.names = names
    if (positional.length > names.length) {
      throw evaluationError(`${positional.length} arguments for ${callee}`, `at most ${names.length}`)
    }
    this.#values = names.map((name, index) => {
      const named = keyword.get(name)
      if (named !== undefined && index < positional.length) throw evaluationError(`two values for ${name} of ${callee}`, 'one')
      return index < positional.length ? positional[index] : named
    })
    for (const name of keyword.keys()) {
      if (!names.includes(name))
        throw evaluationError(`an argument ${name} for ${callee}`, names.length === 0 ? 'none' : `one of ${names.join(', ')}`)
    }
  }

  optional(name: string): Value | undefined {
    return this.#values[this.names.indexOf(name)]
  }

  required(name: string): Value {
    const value = this.optional(name)
    if (value === undefined) throw evaluationError(`no ${name} for ${this.callee}`, 'a value')
    return value
  }

  text(name: string): MarkedText {
    return this.#asText(name, this.required(name))
  }

  optionalText(name: string): MarkedText | undefined {
    const value = this.optional(name)
    return value === undefined || value === null ? undefined : this.#asText(name, value)
  }

  integer(name: string, fallback?: number): number {
    const given = this.optional(name)
    const value = given === undefined ? fallback : given
    if (typeof value === 'number') return value
    if (typeof value === 'boolean') return value ? 1 : 0
    if (isUndefined(value)) throw undefinedError(value)
    throw evaluationError(`${value === undefined ? 'no' : `a ${typeName(value)} as`} ${name} of ${this.callee}`, 'a whole number')
  }

  #asText(name: string, value: Value): MarkedText {
    if (isText(value)) return value
    if (isUndefined(value)) throw undefinedError(value)
    throw evaluationError(`a ${typeName(value)} as ${name} of ${this.callee}`, 'text')
  }
}

export const NO_ARGUMENTS: CallArguments = { positional: [], keyword: new Map() }
