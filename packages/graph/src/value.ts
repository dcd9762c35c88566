import type { DType } from '@foretoken/tensor'
import type { Dim } from './dimension.ts'
import type { Graph } from './graph.ts'

/** A tensor of a graph that is being built: what an input, an initialiser or an operator gives. */
export interface Value {
  readonly graph: Graph
  /** Unique within the graph. */
  readonly name: string
  readonly type: DType
  readonly dims: readonly Dim[]
  /** The elements of a small int64 tensor where they are known while building: shapes, and what is computed from them. */
  readonly known?: readonly Dim[]
}

/** `hidden: float32 [1, steps, 64]` */
export function describeValue(value: Value): string {
  return `${value.name}: ${value.type} [${value.dims.join(', ')}]`
}
