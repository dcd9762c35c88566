import type { Value } from './value.ts'

/** The variables of one block. Lookups go outwards, `set` stays inside, as in Jinja. */
export class Scope {
  readonly parent: Scope | undefined
  /** How many loops are around; for `loop.depth`. */
  readonly loopDepth: number
  readonly #variables = new Map<string, Value>()

  constructor(parent?: Scope, loopDepth: number = parent?.loopDepth ?? 0) {
    this.parent = parent
    this.loopDepth = loopDepth
  }

  get(name: string): Value | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const value = scope.#variables.get(name)
      if (value !== undefined) return value
    }
    return undefined
  }

  set(name: string, value: Value): void {
    this.#variables.set(name, value)
  }
}
