// The tensor that all packages and runtimes share.
export type { Tensor, TensorLocation } from './tensor.ts'
export { arrayLength, BITS_PER_ELEMENT, byteLengthOf, elementsOf, isDataOf, tensor } from './create-tensor.ts'
export type { DataOf, DType, TensorData } from './dtype.ts'
// Element types that JavaScript has no array for.
export { decodeFloat16, encodeFloat16, float16FromNumber, numberFromFloat16 } from './float16.ts'
export { decodeBFloat16, encodeBFloat16 } from './bfloat16.ts'
export { packInt4, unpackInt4 } from './int4.ts'
// A row of scores.
export { argmax, logSoftmax, logSumExp, softmax } from './row-operations.ts'
export { type TopK, topK } from './top-k.ts'
// Random numbers by address.
export { fillGumbel, type RandomAddress, type RandomStream, randomAt, randomStream } from './random-stream.ts'
// The same bits in every engine.
export { expOfNegative, logOf } from './portable-math.ts'
export { philox } from './philox.ts'
// Orthogonal transforms that spread outliers.
export { hadamardBlocks, hadamardMatrix, type Rotation, randomRotation, rowRotator } from './rotation.ts'
// Errors.
export { ArgumentError, DisposedError, DTypeError, type ErrorFacts, type ErrorPlace, ForetokenError, ShapeError } from './errors.ts'
// Packed weights of linear layers: the agreement between quantisers and graphs.
export type { LinearFormat, LinearPart, PackedLinear } from './linear-weight.ts'
