/**
 * Branches and loops. A branch or body is built by a callback; whatever nodes it makes belong to it, and it may use every
 * value that is visible where it stands. Values made inside are not visible outside: what is needed there is returned.
 */
import { type Dim, sameDim, sameDims } from '../dimension.ts'
import type { OutputSpec } from '../graph.ts'
import { type Attribute, int, ints } from '../node.ts'
import {
  argumentError,
  beginCall,
  type Call,
  dimAt,
  dtypeError,
  emitAll,
  type NodeOptions,
  type Operand,
  required,
  requireRank,
  requireType,
  shapeError,
  unknownDim,
} from '../operator.ts'
import type { Value } from '../value.ts'

/**
 * Runs one of two branches. Both return as many values of the same element types and ranks; a dimension in which they differ is unknown outside.
 *
 * @param condition  bool without dimensions
 */
export function branch(
  condition: Value,
  whenTrue: () => readonly Value[],
  whenFalse: () => readonly Value[],
  options?: NodeOptions,
): Value[] {
  const call = beginCall('If', { condition }, options)
  requireType(call, 'condition', ['bool'])
  requireRank(call, 'condition', 0)
  const thenBlock = condition.graph.buildBlock(`${call.name}.then`, [], whenTrue)
  const elseBlock = condition.graph.buildBlock(`${call.name}.else`, [], whenFalse)
  if (thenBlock.outputs.length !== elseBlock.outputs.length) {
    throw argumentError(call, `${thenBlock.outputs.length} and ${elseBlock.outputs.length} results`, 'as many of each branch')
  }
  const outputs = thenBlock.outputs.map((value, at) => joined(call, value, elseBlock.outputs[at] ?? value, at))
  return all(call, { then_branch: { kind: 'block', value: thenBlock }, else_branch: { kind: 'block', value: elseBlock } }, outputs)
}

export interface LoopOptions extends NodeOptions {
  /** The greatest number of rounds; unlimited when absent. */
  readonly count?: Operand | undefined
  /** bool without dimensions: whether the first round runs. */
  readonly condition?: Value | undefined
}

export interface LoopRound {
  /** Whether another round follows; yes when absent. */
  readonly condition?: Value | undefined
  /** The values that go into the next round: as many, of the same element types and dimensions as they came. */
  readonly carried: readonly Value[]
  /** Values of this round that are stacked along a first axis. */
  readonly collected?: readonly Value[]
}

export interface LoopResult {
  readonly carried: readonly Value[]
  /** [rounds, …dims] each. */
  readonly collected: readonly Value[]
}

/** Rounds of a body that hands values to itself. The body is given the number of the round (int64) and what is carried. */
export function loop(
  initial: readonly Value[],
  body: (round: Value, carried: readonly Value[]) => LoopRound,
  { count, condition, ...options }: LoopOptions,
): LoopResult {
  const graph = [...initial, condition, typeof count === 'object' ? count : undefined].find((value) => value !== undefined)?.graph
  const limit = typeof count === 'number' ? graph?.constant('int64', [], [count]) : count
  const inputs: Record<string, Value | undefined> = { count: limit, condition }
  initial.forEach((value, at) => {
    inputs[`carried ${at}`] = value
  })
  const call = beginCall('Loop', inputs, options)
  requireType(call, 'count', ['int64'])
  requireType(call, 'condition', ['bool'])
  const declared: (OutputSpec & { name: string })[] = [
    { name: 'round', type: 'int64', dims: [] },
    { name: 'condition', type: 'bool', dims: [] },
    ...initial.map(({ type, dims }, at) => ({ name: `carried.${at}`, type, dims })),
  ]
  let collected: readonly Value[] = []
  let stops = condition !== undefined || limit !== undefined
  const block = call.graph.buildBlock(`${call.name}.body`, declared, ([round, goesOn, ...carried]) => {
    const result = body(required(call, round), carried)
    checkCarried(call, initial, result.carried)
    collected = result.collected ?? []
    stops ||= result.condition !== undefined
    return [result.condition ?? required(call, goesOn), ...result.carried, ...collected]
  })
  if (!stops) throw argumentError(call, 'neither count nor condition', 'a loop that can end')
  const rounds: Dim =
    typeof count === 'number' && condition === undefined && isUnconditional(block.outputs[0], block.inputs[1], call)
      ? count
      : unknownDim(call, 'rounds')
  const outputs = [...initial, ...collected.map(({ type, dims }) => ({ type, dims: [rounds, ...dims] }))].map(({ type, dims }) => ({
    type,
    dims,
  }))
  const values = all(call, { body: { kind: 'block', value: block } }, outputs)
  return { carried: values.slice(0, initial.length), collected: values.slice(initial.length) }
}

/** Rounds over the first axis of sequences: the body is given what is carried and one element of each. */
export function scan(
  initial: readonly Value[],
  sequences: readonly Value[],
  body: (carried: readonly Value[], elements: readonly Value[]) => Omit<LoopRound, 'condition'>,
  options?: NodeOptions,
): LoopResult {
  const call = beginCall('Scan', [...initial, ...sequences], options)
  const [first] = sequences
  if (first === undefined) throw argumentError(call, 'no sequence', 'at least one')
  for (const sequence of sequences) {
    if (sequence.dims.length === 0 || !sameDim(dimAt(sequence, 0), dimAt(first, 0))) throw shapeError(call, 'sequences of one length')
  }
  const declared = [
    ...initial.map(({ type, dims }, at) => ({ name: `carried.${at}`, type, dims })),
    ...sequences.map(({ type, dims }, at) => ({ name: `element.${at}`, type, dims: dims.slice(1) })),
  ]
  let collected: readonly Value[] = []
  const block = call.graph.buildBlock(`${call.name}.body`, declared, (inputs) => {
    const result = body(inputs.slice(0, initial.length), inputs.slice(initial.length))
    checkCarried(call, initial, result.carried)
    collected = result.collected ?? []
    return [...result.carried, ...collected]
  })
  const zeros = ints(sequences.map(() => 0))
  const outputs = [
    ...initial.map(({ type, dims }) => ({ type, dims })),
    ...collected.map(({ type, dims }) => ({ type, dims: [dimAt(first, 0), ...dims] })),
  ]
  const values = all(
    call,
    { body: { kind: 'block', value: block }, num_scan_inputs: int(sequences.length), scan_input_axes: zeros },
    outputs,
  )
  return { carried: values.slice(0, initial.length), collected: values.slice(initial.length) }
}

function all(call: Call, attributes: Readonly<Record<string, Attribute>>, outputs: readonly OutputSpec[]): Value[] {
  return emitAll(call, attributes, outputs).map((value) => required(call, value))
}

function joined(call: Call, a: Value, b: Value, at: number): OutputSpec {
  if (a.type !== b.type) throw dtypeError(call, `result ${at} of one element type, not ${a.type} and ${b.type}`)
  if (a.dims.length !== b.dims.length)
    throw shapeError(call, `result ${at} of one rank, not [${a.dims.join(', ')}] and [${b.dims.join(', ')}]`)
  return { type: a.type, dims: a.dims.map((dim, axis) => (sameDim(dim, dimAt(b, axis)) ? dim : unknownDim(call, `${at}.${axis}`))) }
}

function checkCarried(call: Call, before: readonly Value[], after: readonly Value[]): void {
  if (before.length !== after.length) throw argumentError(call, `${after.length} carried values`, `${before.length}`)
  before.forEach((value, at) => {
    const next = after[at] ?? value
    if (next.type !== value.type) throw dtypeError(call, `carried value ${at} to stay ${value.type}, not ${next.type}`)
    if (!sameDims(next.dims, value.dims))
      throw shapeError(call, `carried value ${at} to stay [${value.dims.join(', ')}], not [${next.dims.join(', ')}]`)
  })
}

/** Whether the condition that a body gives is the one that it was given, passed through an `Identity`. */
function isUnconditional(given: Value | undefined, received: Value | undefined, call: Call): boolean {
  const source = given === undefined ? undefined : call.graph.producerOf(given)
  return source?.operator === 'Identity' && source.inputs[0]?.name === received?.name
}
