import type { DType, Tensor } from '@foretoken/tensor'
import type { Tensor as OrtTensor, TypedTensor } from 'onnxruntime-common'
import { expectTypeOf, test } from 'vitest'

/** What the libraries read of a feed; the rest of their class is methods. */
type OrtData<T extends OrtTensor.Type> = Pick<TypedTensor<T>, 'type' | 'dims' | 'data' | 'location' | 'size'>

// bfloat16 stays on our side. int4 is an Int8Array in their types and a Uint8Array in their code.
type Shared = Exclude<DType, 'bfloat16' | 'int4'>

test('our tensor is structurally what onnxruntime-common reads, for every element type', () => {
  expectTypeOf<Exclude<DType, 'bfloat16'>>().toExtend<OrtTensor.Type>()
  expectTypeOf<{ [T in Shared]: Tensor<T> }>().toExtend<{ [T in Shared]: OrtData<T> }>()
})

test('what onnxruntime-common returns on the host is structurally our tensor', () => {
  type OnHost<T extends Shared> = OrtData<T> & { readonly location: 'cpu' }
  expectTypeOf<{ [T in Shared]: OnHost<T> }>().toExtend<{ [T in Shared]: Tensor<T> }>()
})
