import type { DataOf, DType } from './dtype.ts'

/** Where the elements are: in a typed array, or on the device behind a handle of the runtime. */
export type TensorLocation = 'cpu' | 'gpu-buffer'

/**
 * The tensor that every package and every runtime shares: plain data, no methods, no hidden state.
 * Structurally what `onnxruntime-common` takes and returns, so nothing is copied at that border.
 */
export interface Tensor<T extends DType = DType> {
  readonly type: T
  readonly dims: readonly number[]
  /** Elements in row-major order; a view may lie anywhere in a larger buffer. */
  readonly data: DataOf[T]
  readonly location: TensorLocation
  /** Number of elements: the product of `dims`. */
  readonly size: number
}
