/**
 * A graph as an ONNX model. Tensors lie inside of the file, or outside in one file of weights ("external data"), which the
 * runtime can map and which has no limit of size. Nothing is copied before `bytes()` is called.
 */
import { ONNX_TYPE } from '../element-type.ts'
import { GraphDataError, GraphError, GraphSizeError } from '../errors.ts'
import type { Graph } from '../graph.ts'
import { type Attribute, type Block, type GraphNode, type Initializer, type InitializerData, isDeferred } from '../node.ts'
import type { Value } from '../value.ts'
import { encodeMessage, joinParts } from './encode.ts'
import { checkExternalLocation } from './external-location.ts'
import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from './messages.ts'

/** A protobuf message has at most this many bytes. */
const MOST_MODEL_BYTES = 2 ** 31 - 1

/** Tensors outside of the file start at multiples of this, so that they can be mapped into memory. */
const EXTERNAL_ALIGNMENT = 4096

/** IR version 10 is the one that opset 21 came with; ONNX Runtime 1.30 reads up to 13. */
const IR_VERSION = 10

export interface EncodeOptions {
  /** Where large tensors go. Absent: all tensors lie inside, which needs their data in memory. */
  readonly external?: {
    /** Name of the file of weights, relative to the model. */
    readonly location: string
    /** Tensors in memory that are smaller stay inside; 1024 when absent. Deferred ones always go outside. */
    readonly minimumBytes?: number
  }
  /** Pairs that are written into the model as metadata. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** A tensor outside of the model file. */
export interface ExternalTensor {
  readonly name: string
  readonly location: string
  readonly offset: number
  readonly length: number
  readonly data: InitializerData
}

export interface EncodedModel {
  /** Pieces of the file in order; large ones are the views that the graph was given. */
  readonly parts: readonly Uint8Array[]
  readonly byteLength: number
  /** The file as one array: a copy. */
  bytes(): Uint8Array
  /** What the file of weights holds, by ascending offset. */
  readonly external: readonly ExternalTensor[]
}

/**
 * The bytes of a graph.
 *
 * @throws {GraphSizeError} when the file would exceed 2 GB; use external data then
 * @throws {GraphDataError} when a tensor would lie inside but its data are deferred; use `encodeModelInline` or external data
 */
export function encodeModel(graph: Graph, options: EncodeOptions = {}): EncodedModel {
  return encodeResolved(graph, options, new Map())
}

/** As `encodeModel`, with the bytes of deferred tensors that have been loaded, by name. */
export function encodeResolved(
  graph: Graph,
  { external, metadata = {} }: EncodeOptions,
  resolved: ReadonlyMap<string, Uint8Array>,
): EncodedModel {
  if (graph.outputs.length === 0)
    throw new GraphError({ field: graph.name, found: 'no output', expected: 'at least one: call graph.output' })
  if (external !== undefined) checkExternalLocation(external.location)
  const outside = external === undefined ? [] : layOut(graph, external.location, external.minimumBytes ?? 1024)
  const byName = new Map(outside.map((tensor) => [tensor.name, tensor]))
  checkInsideBytes(graph, byName)
  const initializer = [...graph.initializers.values()].map((tensor) =>
    tensorProto(graph, tensor, byName.get(tensor.value.name), resolved.get(tensor.value.name)),
  )
  const model: ModelProto = {
    irVersion: IR_VERSION,
    producerName: 'foretoken',
    graph: { ...graphProto(graph, graph.main), initializer },
    opsetImport: [
      { domain: '', version: graph.opset },
      ...(usesRuntimeDomain(graph.main) ? [{ domain: 'com.microsoft', version: 1 }] : []),
    ],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    trainingInfo: [],
    functions: [],
    configuration: [],
  }
  const { parts, byteLength } = encodeMessage('ModelProto', model)
  if (byteLength > MOST_MODEL_BYTES) throw tooLarge(graph, byteLength)
  return { parts, byteLength, bytes: () => joinParts(parts, byteLength), external: outside }
}

/** @throws {GraphSizeError} when the tensors inside of the file alone exceed what it can hold */
export function checkInsideBytes(graph: Graph, outside: ReadonlyMap<string, unknown> = new Map()): void {
  let bytes = 0
  for (const { value, byteLength } of graph.initializers.values()) if (!outside.has(value.name)) bytes += byteLength
  if (bytes > MOST_MODEL_BYTES) throw tooLarge(graph, bytes)
}

/** A data type description such as the inputs and outputs of a model carry. */
function valueInfo(graph: Graph, value: Value): ValueInfoProto {
  const dim = value.dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }))
  return {
    name: graph.fileName(value),
    type: { tensorType: { elemType: ONNX_TYPE[value.type], shape: { dim } } },
    metadataProps: [],
  }
}

/**
 * Tensors of one group of data lie together, so that a group is loaded once when they are written in order; those that are the same part of it lie in
 * the same place.
 */
function layOut(graph: Graph, location: string, minimumBytes: number): ExternalTensor[] {
  const groups = new Map<object, Initializer[]>()
  for (const tensor of graph.initializers.values()) {
    const { data } = tensor
    if (!isDeferred(data) && data.byteLength < minimumBytes) continue
    const key = isDeferred(data) ? data.group : data
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [tensor])
    else group.push(tensor)
  }
  const outside: ExternalTensor[] = []
  let end = 0
  for (const group of groups.values()) {
    const offsets = new Map<string, number>()
    for (const { value, byteLength, data } of group) {
      const part = isDeferred(data) ? data.part : ''
      const offset = offsets.get(part) ?? Math.ceil(end / EXTERNAL_ALIGNMENT) * EXTERNAL_ALIGNMENT
      offsets.set(part, offset)
      outside.push({ name: graph.fileName(value), location, offset, length: byteLength, data })
      end = Math.max(end, offset + byteLength)
    }
  }
  return outside.sort((a, b) => a.offset - b.offset)
}

function graphProto(graph: Graph, block: Block): GraphProto {
  return {
    node: block.nodes.map((node) => nodeProto(graph, node)),
    name: block.name,
    initializer: [],
    input: block.inputs.map((value) => valueInfo(graph, value)),
    output: block.outputs.map((value) => valueInfo(graph, value)),
    valueInfo: innerValues(block).map((value) => valueInfo(graph, value)),
    quantizationAnnotation: [],
    sparseInitializer: [],
    metadataProps: [],
  }
}

/**
 * What nodes hand to each other. The runtime infers shapes by itself, but where it loses a dimension it finds no buffer to reuse, and its
 * search grows with the square of the nodes: 870 against 350 ms of processor time to open SmolLM2-135M without and with these shapes.
 */
function innerValues({ nodes, outputs }: Block): readonly Value[] {
  const outer = new Set(outputs)
  return nodes.flatMap((node) => node.outputs.flatMap((value) => (value === undefined || outer.has(value) ? [] : [value])))
}

function nodeProto(graph: Graph, node: GraphNode): NodeProto {
  const names = (values: readonly (Value | undefined)[]) => values.map((value) => (value === undefined ? '' : graph.fileName(value)))
  return {
    input: names(node.inputs),
    output: names(node.outputs),
    name: node.name,
    opType: node.operator,
    attribute: Object.entries(node.attributes).map(([name, attribute]) => attributeProto(graph, name, attribute)),
    ...(node.domain === '' ? {} : { domain: node.domain }),
    metadataProps: [],
    deviceConfigurations: [],
  }
}

const NO_LISTS = { floats: [], ints: [], strings: [], tensors: [], graphs: [], typeProtos: [], sparseTensors: [] }
const NO_DATA = {
  floatData: [],
  int32Data: [],
  stringData: [],
  int64Data: [],
  doubleData: [],
  uint64Data: [],
  externalData: [],
  metadataProps: [],
}

function attributeProto(graph: Graph, name: string, attribute: Attribute): AttributeProto {
  switch (attribute.kind) {
    case 'float':
      return { ...NO_LISTS, name, type: 1, f: attribute.value }
    case 'int':
      return { ...NO_LISTS, name, type: 2, i: attribute.value }
    case 'string':
      return { ...NO_LISTS, name, type: 3, s: new TextEncoder().encode(attribute.value) }
    case 'tensor': {
      const { type, dims, data } = attribute
      return { ...NO_LISTS, name, type: 4, t: { ...NO_DATA, dims, dataType: ONNX_TYPE[type], rawData: bytesView(data) } }
    }
    case 'block':
      return { ...NO_LISTS, name, type: 5, g: graphProto(graph, attribute.value) }
    case 'floats':
      return { ...NO_LISTS, name, type: 6, floats: attribute.value }
    case 'ints':
      return { ...NO_LISTS, name, type: 7, ints: attribute.value }
    case 'strings':
      return { ...NO_LISTS, name, type: 8, strings: attribute.value.map((item) => new TextEncoder().encode(item)) }
  }
}

function tensorProto(
  graph: Graph,
  { value, dims, data }: Initializer,
  outside: ExternalTensor | undefined,
  resolved: Uint8Array | undefined,
): TensorProto {
  const head = { ...NO_DATA, dims, dataType: ONNX_TYPE[value.type], name: graph.fileName(value) }
  if (outside !== undefined) {
    const externalData = [
      { key: 'location', value: outside.location },
      { key: 'offset', value: `${outside.offset}` },
      { key: 'length', value: `${outside.length}` },
    ]
    return { ...head, externalData, dataLocation: 1 }
  }
  if (resolved !== undefined) return { ...head, rawData: resolved }
  if (isDeferred(data)) {
    throw new GraphDataError({
      tensor: value.name,
      found: 'data that are loaded later',
      expected: 'external data, or encodeModelInline, which loads them',
    })
  }
  return { ...head, rawData: bytesView(data) }
}

export function bytesView(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

function usesRuntimeDomain(block: Block): boolean {
  return block.nodes.some(
    (node) =>
      node.domain !== '' ||
      Object.values(node.attributes).some((attribute) => attribute.kind === 'block' && usesRuntimeDomain(attribute.value)),
  )
}

function tooLarge(graph: Graph, bytes: number): GraphSizeError {
  return new GraphSizeError({
    field: graph.name,
    found: `${bytes} bytes`,
    expected: `at most ${MOST_MODEL_BYTES} in one file; put the weights outside with the option external`,
  })
}
