// The tensor that all packages and runtimes share.
export type { DataOf, DType, TensorData } from './dtype.ts'
// Errors.
export { ArgumentError, DisposedError, DTypeError, type ErrorFacts, type ErrorPlace, ForetokenError, ShapeError } from './errors.ts'
// Packed weights of linear layers: the agreement between quantisers and graphs.
export type { LinearFormat, LinearPart, PackedLinear } from './linear-weight.ts'
export type { Tensor, TensorLocation } from './tensor.ts'
