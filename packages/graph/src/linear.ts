/**
 * A linear layer `x Wᵀ (+ bias)` whose weight comes in one of the packed formats of `@foretoken/tensor`. Which operators carry
 * it is decided here, and what several layers need of the same input (its quantised rows, its sums of blocks) is computed once.
 *
 * - `f32`: one product.
 * - `int8-rows`: each row of x is quantised by its own scale to uint8 around 128, so a row's result does not depend on the rows
 *   beside it. Weights are uint8, whose products never saturate, or int8, which are quicker where the processor has the instructions.
 * - `blocks`: ONNX Runtime's block product. Minima (Q4_1) are kept exactly as a second small product: sums over the blocks of x
 *   by the corrections. With 4 bits, one row takes another kernel than several: where rows must be the same bits whatever
 *   stands beside them, the caller feeds at least two.
 *
 * Nothing is loaded while building: initialisers point at `weight.load`.
 */
import type { LinearFormat, PackedLinear } from '@foretoken/tensor'
import type { Dim } from './dimension.ts'
import type { Graph } from './graph.ts'
import type { DataGroup } from './node.ts'
import { oncePerValue } from './once.ts'
import { type Call, compositeCall, dimAt, type NodeOptions, requireDims, requireRank, requireType, shapeError } from './operator.ts'
import { add, multiply } from './operators/elementwise.ts'
import { concat, pad } from './operators/joining.ts'
import { fusedMatMul, matMul } from './operators/product.ts'
import { matMulIntegerToFloat, matMulNBits } from './operators/quantization.ts'
import { reduceSum } from './operators/reduction.ts'
import { reshape } from './operators/shape.ts'
import { quantizeRows, ROW_ZERO_POINT } from './row-quantization.ts'
import type { Value } from './value.ts'

/** A weight [outputs, inputs] that can be loaded in a packed form. Using the same object twice shares its initialisers. */
export interface LinearWeight {
  /** Unique within the graph; initialisers are called `name.values`, `name.scales`, `name.corrections`. */
  readonly name: string
  readonly outputs: number
  readonly inputs: number
  readonly format: LinearFormat
  load(): Promise<PackedLinear>
}

export interface LinearOptions extends NodeOptions {
  /** float32 [outputs] */
  readonly bias?: Value | undefined
  /** Precision of the activations in block products: 4 quantises them to int8 (default), 1 keeps float32. */
  readonly accuracyLevel?: 0 | 1 | 2 | 3 | 4 | undefined
  /** Widest single product of `int8-rows`: wider weights are cut by columns, which is quicker in wasm and gives the same bits. */
  readonly splitColumns?: number | undefined
}

type BlockFormat = Extract<LinearFormat, { kind: 'blocks' }>

/**
 * @param x       float32 [..., inputs]
 * @param weight  [outputs, inputs]
 * @returns       float32 [..., outputs]
 * @throws {ShapeError} when the last dimension of x is not `weight.inputs`
 */
export function linear(
  x: Value,
  weight: LinearWeight,
  { bias, accuracyLevel = 4, splitColumns, name = weight.name }: LinearOptions = {},
): Value {
  const call = compositeCall('linear', name, { x, bias }, x.graph)
  requireType(call, 'x', ['float32'])
  requireType(call, 'bias', ['float32'])
  requireRank(call, 'x', 1, Number.POSITIVE_INFINITY)
  requireDims(call, 'bias', [weight.outputs])
  if (dimAt(x, -1) !== weight.inputs) throw shapeError(call, `the last dimension of x to be ${weight.inputs}, the inputs of ${weight.name}`)
  const { format } = weight
  return x.graph.scope(name, () => {
    const product =
      format.kind === 'f32'
        ? floatProduct(x, weightPart(x.graph, weight, 'values', 'float32', [weight.inputs, weight.outputs]), weight.inputs)
        : format.kind === 'int8-rows'
          ? rowProduct(x, weight, format.isSigned ?? false, splitColumns ?? weight.outputs)
          : blockProduct(call, x, weight, format, accuracyLevel)
    return bias === undefined ? product : add(product, bias)
  })
}

/**
 * A float product that takes the same kernel whatever its width. One column would go to a dot product whose sums associate
 * differently from the general kernel; a factor other than 1 keeps it off, and halving first is exact. The halves are a vector
 * because the runtime folds a factor that is one number back into alpha.
 */
function floatProduct(x: Value, matrix: Value, inputs: number): Value {
  if (dimAt(matrix, -1) !== 1) return matMul(x, matrix)
  const halves = x.graph.constant('float32', [inputs], new Array<number>(inputs).fill(0.5))
  return fusedMatMul(multiply(x, halves), matrix, { alpha: 2 })
}

function rowProduct(x: Value, weight: LinearWeight, isSigned: boolean, widest: number): Value {
  const { graph } = x
  const { values, scales } = quantizeRows(x)
  const zeroPoint = graph.constant('uint8', [], [ROW_ZERO_POINT])
  const one = graph.constant('float32', [], [1])
  const zeroPoints = isSigned ? { aZeroPoint: zeroPoint } : { aZeroPoint: zeroPoint, bZeroPoint: zeroPoint }
  const pieces = columnPieces(graph, weight, isSigned ? 'int8' : 'uint8', widest).map((piece) =>
    matMulIntegerToFloat(values, piece.values, one, piece.scales, zeroPoints),
  )
  const [first, ...others] = pieces
  const product = first !== undefined && others.length === 0 ? first : concat(pieces, { axis: -1 })
  return multiply(product, scales)
}

function blockProduct(
  call: Call,
  x: Value,
  weight: LinearWeight,
  { bits, blockSize, hasMinima }: BlockFormat,
  accuracyLevel: 0 | 1 | 2 | 3 | 4,
): Value {
  const { graph } = x
  const { outputs, inputs } = weight
  const blocks = Math.ceil(inputs / blockSize)
  const padded = blocks * blockSize
  const filled = padded === inputs ? x : oncePerValue(x, `padded ${padded}`, () => pad(x, [{ axis: -1, after: padded - inputs }]))
  const values = weightPart(graph, weight, 'values', 'uint8', [outputs, blocks, (blockSize * bits) / 8])
  const scales = weightPart(graph, weight, 'scales', 'float32', [outputs, blocks])
  const product = matMulNBits(filled, values, scales, { outputs, inputs: padded, bits, blockSize, accuracyLevel })
  if (!hasMinima) return product
  const sums = oncePerValue(filled, `block sums ${blockSize}`, () =>
    reduceSum(reshape(filled, [...leadingDims(call, filled), blocks, blockSize]), [-1], { keepDims: false, name: 'blockSums' }),
  )
  return add(product, floatProduct(sums, weightPart(graph, weight, 'corrections', 'float32', [blocks, outputs]), blocks))
}

function leadingDims(call: Call, x: Value): readonly Dim[] {
  if (x.dims.length === 0) throw shapeError(call, 'x to have at least one dimension')
  return x.dims.slice(0, -1)
}

const groups = new WeakMap<Graph, Map<LinearWeight, DataGroup>>()

/** The initialiser of one part; the same for every use of a weight under the same name. */
export function weightPart(
  graph: Graph,
  weight: LinearWeight,
  part: 'values' | 'scales' | 'corrections',
  type: 'float32' | 'uint8' | 'int8',
  dims: readonly number[],
  { name = weight.name }: NodeOptions = {},
): Value {
  return sharedInitializer(graph, weight, `${name}.${part}`, type, dims, part, () => ({
    load: async () => partsOf(await weight.load()),
  }))
}

function sharedInitializer(
  graph: Graph,
  weight: LinearWeight,
  name: string,
  type: 'float32' | 'uint8' | 'int8',
  dims: readonly number[],
  part: string,
  createGroup: () => DataGroup,
): Value {
  const known = groups.get(graph) ?? new Map<LinearWeight, DataGroup>()
  groups.set(graph, known)
  const existing = known.get(weight)
  const initializer = existing === undefined ? undefined : graph.initializers.get(name)
  if (initializer !== undefined) return initializer.value
  const group = existing ?? createGroup()
  known.set(weight, group)
  return graph.initializer(name, type, dims, { group, part })
}

/** The weight as matrices of at most `widest` columns. */
function columnPieces(
  graph: Graph,
  weight: LinearWeight,
  type: 'uint8' | 'int8',
  widest: number,
): readonly { readonly values: Value; readonly scales: Value }[] {
  const { inputs, outputs } = weight
  if (outputs <= widest) {
    return [
      {
        values: weightPart(graph, weight, 'values', type, [inputs, outputs]),
        scales: weightPart(graph, weight, 'scales', 'float32', [outputs]),
      },
    ]
  }
  const createGroup = () => ({ load: async () => cutColumns(await weight.load(), widest) })
  return Array.from({ length: Math.ceil(outputs / widest) }, (_, piece) => {
    const columns = Math.min(widest, outputs - piece * widest)
    const values = sharedInitializer(
      graph,
      weight,
      `${weight.name}.values.${piece}`,
      type,
      [inputs, columns],
      `values.${piece}`,
      createGroup,
    )
    const scales = sharedInitializer(graph, weight, `${weight.name}.scales.${piece}`, 'float32', [columns], `scales.${piece}`, createGroup)
    return { values, scales }
  })
}

function cutColumns({ parts, inputs, outputs }: PackedLinear, widest: number): Record<string, ArrayBufferView> {
  const cut: Record<string, ArrayBufferView> = {}
  for (let piece = 0; piece * widest < outputs; piece++) {
    const from = piece * widest
    const to = Math.min(from + widest, outputs)
    const values = new Uint8Array(inputs * (to - from))
    const source = new Uint8Array(parts.values.buffer, parts.values.byteOffset, parts.values.byteLength)
    for (let row = 0; row < inputs; row++) values.set(source.subarray(row * outputs + from, row * outputs + to), row * (to - from))
    cut[`values.${piece}`] = values
    if (parts.scales !== undefined) cut[`scales.${piece}`] = parts.scales.subarray(from, to)
  }
  return cut
}

function partsOf({ parts }: PackedLinear): Record<string, ArrayBufferView> {
  const present: Record<string, ArrayBufferView> = { values: parts.values }
  if (parts.scales !== undefined) present.scales = parts.scales
  if (parts.corrections !== undefined) present.corrections = parts.corrections
  return present
}
