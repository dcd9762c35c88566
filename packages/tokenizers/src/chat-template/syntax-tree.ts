/**
 * The tree of a template as the evaluator walks it.
 */
import type { Value } from './value.ts'

export type Expression =
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'sequence'; readonly isTuple: boolean; readonly items: readonly Expression[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'attribute'; readonly object: Expression; readonly name: string }
  | { readonly kind: 'item'; readonly object: Expression; readonly index: Expression }
  | {
      readonly kind: 'slice'
      readonly object: Expression
      readonly start: Expression | undefined
      readonly stop: Expression | undefined
      readonly step: Expression | undefined
    }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: readonly Argument[] }
  | { readonly kind: 'filter'; readonly operand: Expression; readonly filter: NamedCall }
  | { readonly kind: 'test'; readonly operand: Expression; readonly test: NamedCall; readonly isNegated: boolean }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'conditional'; readonly test: Expression; readonly whenTrue: Expression; readonly whenFalse: Expression | undefined }

export type Argument =
  | { readonly kind: 'positional' | 'spread' | 'keywordSpread'; readonly value: Expression }
  | { readonly kind: 'keyword'; readonly name: string; readonly value: Expression }

/** A filter or a test with its arguments. */
export interface NamedCall {
  readonly name: string
  readonly args: readonly Argument[]
}

export interface Parameter {
  readonly name: string
  readonly initial: Expression | undefined
}

/** A macro, or the body of a call block. */
export interface MacroDefinition {
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly body: readonly Statement[]
  /** Whether the body reads `varargs` or `kwargs`: only then surplus arguments are allowed. */
  readonly takesVarargs: boolean
  readonly takesKwargs: boolean
}

export type Target =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'member'; readonly object: Expression; readonly name: string }

export type Statement =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly expression: Expression }
  | { readonly kind: 'if'; readonly test: Expression; readonly body: readonly Statement[]; readonly otherwise: readonly Statement[] }
  | {
      readonly kind: 'for'
      readonly target: Target
      readonly iterable: Expression
      readonly condition: Expression | undefined
      readonly body: readonly Statement[]
      readonly otherwise: readonly Statement[]
    }
  | { readonly kind: 'set'; readonly target: Target; readonly value: Expression }
  | { readonly kind: 'setBlock'; readonly target: Target; readonly filters: readonly NamedCall[]; readonly body: readonly Statement[] }
  | { readonly kind: 'macro'; readonly macro: MacroDefinition }
  | { readonly kind: 'callBlock'; readonly call: Expression & { readonly kind: 'call' }; readonly caller: MacroDefinition }
  | { readonly kind: 'filterBlock'; readonly filter: NamedCall; readonly body: readonly Statement[] }
  /** The transformers tag around what the assistant says; a scope of its own, without effect on the text. */
  | { readonly kind: 'scope'; readonly body: readonly Statement[] }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
