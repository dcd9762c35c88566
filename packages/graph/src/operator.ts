/**
 * What all operators share: a call collects the operator, the name of its node and its labelled inputs, so that every
 * refusal can name them with their element types and dimensions; `emit` adds the node once everything has been checked.
 */
import { ArgumentError, type DType, DTypeError, ShapeError } from '@foretoken/tensor'
import { type Dim, sameDim } from './dimension.ts'
import { GraphError } from './errors.ts'
import type { Graph, OutputSpec } from './graph.ts'
import type { Attribute, Domain } from './node.ts'
import { describeValue, type Value } from './value.ts'

/** Options that every operator takes. */
export interface NodeOptions {
  /** Name of the node within the current scope; the operator's name when absent. */
  readonly name?: string | undefined
}

/** A value, or a number that becomes a constant of the other operand's element type. */
export type Operand = Value | number

export interface Call {
  readonly graph: Graph
  readonly operator: string
  readonly domain: Domain
  readonly name: string
  readonly inputs: ReadonlyMap<string, Value | undefined>
}

/** Begins a call. The first input that is there decides which graph it goes to. */
export function beginCall(
  operator: string,
  inputs: Readonly<Record<string, Value | undefined>> | readonly Value[],
  options: NodeOptions = {},
  domain: Domain = '',
): Call {
  const labelled: [string, Value | undefined][] = isList(inputs)
    ? inputs.map((value, index) => [`input ${index}`, value])
    : Object.entries(inputs)
  const first = labelled.find(([, value]) => value !== undefined)?.[1]
  if (first === undefined) throw new GraphError({ field: operator, found: 'no input', expected: 'at least one value' })
  return { graph: first.graph, operator, domain, name: first.graph.nodeName(options.name, operator), inputs: new Map(labelled) }
}

/** A call of something that is made of several operators, for its errors. Takes no name. */
export function compositeCall(operator: string, name: string, inputs: Readonly<Record<string, Value | undefined>>, graph: Graph): Call {
  return { graph, operator, domain: '', name, inputs: new Map(Object.entries(inputs)) }
}

/** Adds the node and gives all its outputs; those that are undefined are left out of the file. */
export function emitAll(
  call: Call,
  attributes: Readonly<Record<string, Attribute | undefined>>,
  outputs: readonly (OutputSpec | undefined)[],
): readonly (Value | undefined)[] {
  const inputs = [...call.inputs.values()]
  while (inputs.length > 0 && inputs.at(-1) === undefined) inputs.pop()
  const present: Record<string, Attribute> = {}
  for (const [name, attribute] of Object.entries(attributes)) if (attribute !== undefined) present[name] = attribute
  return call.graph.add({ operator: call.operator, domain: call.domain, name: call.name, inputs, outputs, attributes: present })
}

/** Adds a node with one output. */
export function emit(
  call: Call,
  attributes: Readonly<Record<string, Attribute | undefined>>,
  type: DType,
  dims: readonly Dim[],
  known?: readonly Dim[],
): Value {
  return required(call, emitAll(call, attributes, [{ type, dims, known }])[0])
}

/** Adds a node with two outputs. */
export function emitPair(
  call: Call,
  attributes: Readonly<Record<string, Attribute | undefined>>,
  first: OutputSpec,
  second: OutputSpec,
): [Value, Value] {
  const [one, two] = emitAll(call, attributes, [first, second])
  return [required(call, one), required(call, two)]
}

export function required(call: Call, value: Value | undefined): Value {
  if (value === undefined) throw new GraphError({ field: place(call), found: 'no output', expected: 'one' })
  return value
}

/** The error for dimensions that do not fit: names the operator, the node and all inputs. */
export function shapeError(call: Call, expected: string): ShapeError {
  return new ShapeError({ field: place(call), found: describeInputs(call), expected })
}

export function dtypeError(call: Call, expected: string): DTypeError {
  return new DTypeError({ field: place(call), found: describeInputs(call), expected })
}

export function argumentError(call: Call, found: string, expected: string): ArgumentError {
  return new ArgumentError({ field: place(call), found: `${found} with ${describeInputs(call)}`, expected })
}

/** Refuses an input whose element type is none of these. */
export function requireType(call: Call, label: string, types: readonly DType[]): void {
  const value = call.inputs.get(label)
  if (value !== undefined && !types.includes(value.type)) throw dtypeError(call, `${label} to be ${types.join(', ')}`)
}

/** Refuses inputs of different element types. */
export function requireSameType(call: Call, labels: Iterable<string> = call.inputs.keys()): void {
  let first: [string, DType] | undefined
  for (const label of labels) {
    const value = call.inputs.get(label)
    if (value === undefined) continue
    first ??= [label, value.type]
    if (value.type !== first[1]) throw dtypeError(call, `${label} to have the element type of ${first[0]}`)
  }
}

export function requireRank(call: Call, label: string, least: number, most: number = least): void {
  const rank = call.inputs.get(label)?.dims.length
  if (rank === undefined || (rank >= least && rank <= most)) return
  const wanted = least === most ? `${least}` : most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`
  throw shapeError(call, `${label} to have ${wanted} dimensions`)
}

/** Refuses an input whose dimensions are not these. Undefined stands for any size. */
export function requireDims(call: Call, label: string, dims: readonly (Dim | undefined)[]): void {
  const value = call.inputs.get(label)
  if (value === undefined) return
  const fits = value.dims.length === dims.length && dims.every((dim, axis) => dim === undefined || sameDim(dim, dimAt(value, axis)))
  if (!fits) throw shapeError(call, `${label} to be [${dims.map((dim) => dim ?? '?').join(', ')}]`)
}

/** The index of an axis that may be negative. */
export function axisOf(call: Call, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw argumentError(call, `axis ${axis}`, `an axis from ${-rank} to ${rank - 1}`)
  return axis < 0 ? axis + rank : axis
}

/** Axes that may be negative, as indices; each at most once. */
export function axesOf(call: Call, axes: readonly number[], rank: number): readonly number[] {
  const indices = axes.map((axis) => axisOf(call, axis, rank))
  if (new Set(indices).size !== indices.length) throw argumentError(call, `axes ${axes.join(', ')}`, 'each axis at most once')
  return indices
}

/** A dimension by index; negative ones count from the end. */
export function dimAt(value: Value, axis: number): Dim {
  const dim = value.dims.at(axis)
  if (dim === undefined)
    throw new GraphError({ tensor: value.name, found: `axis ${axis} of ${describeValue(value)}`, expected: 'an axis that exists' })
  return dim
}

/** A symbol for a size that only the running graph knows. */
export function unknownDim(call: Call, label = '0'): Dim {
  return `${call.name.replace(/[^A-Za-z0-9_.:/]/g, '_').replace(/^[^A-Za-z_]/, '_')}#${label}`
}

/** A value for an operand: numbers become constants of the given element type. */
export function operandValue(operand: Operand, graph: Graph, type: DType): Value {
  return typeof operand === 'number' ? graph.constant(type, [], [operand]) : operand
}

function place(call: Call): string {
  return `${call.operator} (node ${call.name})`
}

function describeInputs(call: Call): string {
  const described: string[] = []
  for (const [label, value] of call.inputs) if (value !== undefined) described.push(`${label} = ${describeValue(value)}`)
  return described.join('; ')
}

function isList(inputs: Readonly<Record<string, Value | undefined>> | readonly Value[]): inputs is readonly Value[] {
  return Array.isArray(inputs)
}
