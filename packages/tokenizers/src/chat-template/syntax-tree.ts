/** The library's syntax tree, as far as we look into it: the library exports its parser but not these types. */
import type { parse } from '@huggingface/jinja'

export type Program = ReturnType<typeof parse>
export type Node = Program['body'][number]

interface Fields {
  readonly Program: { body: Node[] }
  readonly If: { body: Node[]; alternate: Node[] }
  readonly For: { readonly loopvar: Node; readonly iterable: Node; body: Node[]; defaultBlock: Node[] }
  readonly Macro: { readonly name: { readonly value: string }; body: Node[] }
  readonly Set: { body: Node[] }
  readonly CallStatement: { body: Node[] }
  readonly FilterStatement: { body: Node[]; readonly filter: Node }
  readonly StringLiteral: { readonly value: string }
  readonly Identifier: { readonly value: string }
  readonly BinaryExpression: { readonly operator: { readonly value: string }; readonly left: Node; readonly right: Node }
  readonly MemberExpression: { readonly object: Node; readonly property: Node; readonly computed: boolean }
  readonly CallExpression: { readonly callee: Node; readonly args: readonly Node[] }
  readonly FilterExpression: { readonly operand: Node; readonly filter: Node }
  readonly TestExpression: { readonly operand: Node; readonly negate: boolean; readonly test: { readonly value: string } }
  readonly SelectExpression: { readonly lhs: Node }
  readonly SpreadExpression: { readonly argument: Node }
  readonly KeywordArgumentExpression: { readonly key: { readonly value: string }; readonly value: Node }
}

export function is<Type extends keyof Fields>(node: Node | undefined, type: Type): node is Node & Fields[Type] {
  return node?.type === type
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
