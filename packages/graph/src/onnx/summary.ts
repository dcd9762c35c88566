/** What an ONNX file takes, gives and contains, without its weights. */
import type { DType } from '@foretoken/tensor'
import { elementTypeOf } from '../element-type.ts'
import { decodeModel } from './decode.ts'
import type { GraphProto, Integer, ModelProto, TensorProto, ValueInfoProto } from './messages.ts'

export interface ModelSummary {
  readonly irVersion: number
  readonly producer: string
  /** Version of each operator set, the standard one under the empty name. */
  readonly opsets: ReadonlyMap<string, number>
  readonly inputs: readonly ValueSummary[]
  readonly outputs: readonly ValueSummary[]
  readonly initializers: readonly TensorSummary[]
  /** How many nodes of each operator there are, branches and bodies included; operators of other domains as `domain::operator`. */
  readonly nodes: ReadonlyMap<string, number>
  readonly metadata: ReadonlyMap<string, string>
}

export interface ValueSummary {
  readonly name: string
  /** Undefined when it is no tensor, or of a type that we do not have (text, complex numbers, 8-bit floats). */
  readonly type: DType | undefined
  /** Undefined when the rank is not given; a dimension without a name is `?`. */
  readonly dims: readonly (number | string)[] | undefined
}

export interface TensorSummary {
  readonly name: string
  readonly type: DType | undefined
  readonly dims: readonly number[]
  /** The file outside of the model that holds the elements. */
  readonly externalLocation?: string
}

/** @throws {OnnxFormatError} as `decodeModel` */
export function readModelSummary(bytes: Uint8Array): ModelSummary {
  return summarizeModel(decodeModel(bytes))
}

export function summarizeModel(model: ModelProto): ModelSummary {
  const { graph } = model
  const nodes = new Map<string, number>()
  if (graph !== undefined) countNodes(graph, nodes)
  const initializers = graph?.initializer ?? []
  const isInitializer = new Set(initializers.map(({ name }) => name))
  return {
    irVersion: Number(model.irVersion ?? 0),
    producer: [model.producerName, model.producerVersion].filter((part) => part !== undefined && part !== '').join(' '),
    opsets: new Map(model.opsetImport.map(({ domain = '', version = 0 }) => [domain === 'ai.onnx' ? '' : domain, Number(version)])),
    // Before IR version 4 initialisers were listed among the inputs as well.
    inputs: (graph?.input ?? []).filter(({ name }) => !isInitializer.has(name)).map(summarizeValue),
    outputs: (graph?.output ?? []).map(summarizeValue),
    initializers: initializers.map(summarizeTensor),
    nodes,
    metadata: new Map(model.metadataProps.map(({ key = '', value = '' }) => [key, value])),
  }
}

function countNodes(graph: GraphProto, counts: Map<string, number>): void {
  for (const { opType = '', domain = '', attribute } of graph.node) {
    const operator = domain === '' || domain === 'ai.onnx' ? opType : `${domain}::${opType}`
    counts.set(operator, (counts.get(operator) ?? 0) + 1)
    for (const { g, graphs } of attribute) {
      if (g !== undefined) countNodes(g, counts)
      for (const inner of graphs) countNodes(inner, counts)
    }
  }
}

function summarizeValue({ name = '', type }: ValueInfoProto): ValueSummary {
  const tensor = type?.tensorType
  const dims = tensor?.shape?.dim.map(({ dimValue, dimParam }) => (dimValue === undefined ? (dimParam ?? '?') : Number(dimValue)))
  return { name, type: elementTypeOf(tensor?.elemType ?? 0), dims }
}

function summarizeTensor({ name = '', dataType = 0, dims, externalData }: TensorProto): TensorSummary {
  const location = externalData.find(({ key }) => key === 'location')?.value
  const summary = { name, type: elementTypeOf(dataType), dims: dims.map((dim: Integer) => Number(dim)) }
  return location === undefined ? summary : { ...summary, externalLocation: location }
}
