/**
 * The parts of a graph as plain data, so that other code (differentiation, printing, checks) can read what was built.
 */
import type { DType } from '@foretoken/tensor'
import type { Value } from './value.ts'

/** An operator set: the standard one, or ONNX Runtime's own operators. */
export type Domain = '' | 'com.microsoft'

/** One operator of a graph. */
export interface GraphNode {
  readonly operator: string
  readonly domain: Domain
  readonly name: string
  /** Undefined where an optional input is left out. */
  readonly inputs: readonly (Value | undefined)[]
  /** Undefined where an optional output is not asked for. */
  readonly outputs: readonly (Value | undefined)[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** A constant of an operator. ONNX tells whole numbers from fractions, JavaScript does not, so the kind stands beside the value. */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number | bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly type: DType; readonly dims: readonly number[]; readonly data: ArrayBufferView }
  | { readonly kind: 'block'; readonly value: Block }

/** Nodes with the inputs they declare and the outputs they give: the graph itself, a branch, or the body of a loop. */
export interface Block {
  readonly name: string
  readonly parent: Block | undefined
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly nodes: readonly GraphNode[]
}

/** A tensor whose elements are part of the model. */
export interface Initializer {
  readonly value: Value
  readonly dims: readonly number[]
  readonly byteLength: number
  readonly data: InitializerData
}

/** Bytes that lie in memory (referenced, never copied), or that will be loaded when the model is written. */
export type InitializerData = ArrayBufferView | DeferredData

export interface DeferredData {
  /** What is loaded at once, for instance all parts of one packed weight. Tensors with the same object here share one load. */
  readonly group: DataGroup
  /** Which of the loaded parts this tensor is. */
  readonly part: string
}

export interface DataGroup {
  load(): Promise<Readonly<Record<string, ArrayBufferView>>>
}

export function isDeferred(data: InitializerData): data is DeferredData {
  return !ArrayBuffer.isView(data)
}

export const int = (value: number | bigint | boolean): Attribute => ({
  kind: 'int',
  value: typeof value === 'boolean' ? Number(value) : value,
})
export const float = (value: number): Attribute => ({ kind: 'float', value })
export const text = (value: string): Attribute => ({ kind: 'string', value })
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
