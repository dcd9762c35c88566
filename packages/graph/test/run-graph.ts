import { encodeModelInline, type Graph } from '@foretoken/graph'
import type { DType } from '@foretoken/tensor'
import * as ort from 'onnxruntime-node'

export interface Fed {
  readonly type: DType
  readonly dims: readonly number[]
  readonly values: readonly (number | bigint)[]
}

export interface Result {
  readonly type: string
  readonly dims: readonly number[]
  readonly values: readonly number[]
}

/** Runs a graph once on onnxruntime-node and gives all outputs as plain numbers. */
export async function runGraph(graph: Graph, feeds: Readonly<Record<string, Fed>> = {}): Promise<Record<string, Result>> {
  const session = await ort.InferenceSession.create((await encodeModelInline(graph)).bytes(), { intraOpNumThreads: 1, logSeverityLevel: 3 })
  try {
    const inputs: Record<string, ort.Tensor> = {}
    for (const [name, fed] of Object.entries(feeds)) inputs[name] = toTensor(fed)
    const outputs = await session.run(inputs)
    const results: Record<string, Result> = {}
    for (const [name, tensor] of Object.entries(outputs)) {
      results[name] = { type: tensor.type, dims: tensor.dims, values: Array.from(tensor.data as ArrayLike<number | bigint>, Number) }
    }
    return results
  } finally {
    await session.release()
  }
}

function toTensor({ type, dims, values }: Fed): ort.Tensor {
  const numbers = values.map(Number)
  switch (type) {
    case 'float32':
      return new ort.Tensor('float32', Float32Array.from(numbers), dims)
    case 'float64':
      return new ort.Tensor('float64', Float64Array.from(numbers), dims)
    case 'int64':
      return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims)
    case 'int32':
      return new ort.Tensor('int32', Int32Array.from(numbers), dims)
    case 'uint8':
      return new ort.Tensor('uint8', Uint8Array.from(numbers), dims)
    case 'int8':
      return new ort.Tensor('int8', Int8Array.from(numbers), dims)
    case 'bool':
      return new ort.Tensor('bool', Uint8Array.from(numbers), dims)
    default:
      throw new Error(`tests do not feed ${type}`)
  }
}
