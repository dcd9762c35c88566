/**
 * Operators that compute each element by itself. One operand: the result has its dimensions. Several: they are broadcast.
 * A number among the operands becomes a constant of the other operand's element type.
 */
import type { DType } from '@foretoken/tensor'
import { broadcastDims } from '../broadcasting.ts'
import { addDims, type Dim, multiplyDims, subtractDims } from '../dimension.ts'
import { FLOATS, INTEGERS, NUMBERS, ONNX_TYPE, SIGNED_NUMBERS } from '../element-type.ts'
import { GraphError } from '../errors.ts'
import type { Graph } from '../graph.ts'
import { float, int, text } from '../node.ts'
import {
  beginCall,
  emit,
  type NodeOptions,
  type Operand,
  operandValue,
  requireDims,
  requireRank,
  requireSameType,
  requireType,
} from '../operator.ts'
import type { Value } from '../value.ts'

export type UnaryOperator = (x: Value, options?: NodeOptions) => Value
export type BinaryOperator = (a: Operand, b: Operand, options?: NodeOptions) => Value
export type VariadicOperator = (values: readonly Operand[], options?: NodeOptions) => Value

/** `a + b` */
export const add: BinaryOperator = binary('Add', NUMBERS, addDims)
/** `a - b` */
export const subtract: BinaryOperator = binary('Sub', NUMBERS, subtractDims)
/** `a * b` */
export const multiply: BinaryOperator = binary('Mul', NUMBERS, multiplyDims)
/** `a / b`; whole numbers are cut towards zero. */
export const divide: BinaryOperator = binary('Div', NUMBERS)
/** The least of the operands, element by element. */
export const minimum: VariadicOperator = variadic('Min', NUMBERS)
/** The greatest of the operands, element by element. */
export const maximum: VariadicOperator = variadic('Max', NUMBERS)

/** `√x` */
export const squareRoot: UnaryOperator = unary('Sqrt', FLOATS)
/** `1 / x` */
export const reciprocal: UnaryOperator = unary('Reciprocal', FLOATS)
/** `-x` */
export const negate: UnaryOperator = unary('Neg', SIGNED_NUMBERS)
/** `|x|` */
export const absolute: UnaryOperator = unary('Abs', NUMBERS)
/** -1, 0 or 1 */
export const sign: UnaryOperator = unary('Sign', NUMBERS)
/** `e^x` */
export const exponential: UnaryOperator = unary('Exp', FLOATS)
/** The natural logarithm. */
export const logarithm: UnaryOperator = unary('Log', FLOATS)
/** Sine of radians. */
export const sine: UnaryOperator = unary('Sin', FLOATS)
/** Cosine of radians. */
export const cosine: UnaryOperator = unary('Cos', FLOATS)
/** Hyperbolic tangent. */
export const tanh: UnaryOperator = unary('Tanh', FLOATS)
/** `1 / (1 + e^-x)` */
export const sigmoid: UnaryOperator = unary('Sigmoid', FLOATS)
/** `log(1 + e^x)` */
export const softplus: UnaryOperator = unary('Softplus', FLOATS)
/** The error function. */
export const erf: UnaryOperator = unary('Erf', FLOATS)
/** `max(x, 0)` */
export const relu: UnaryOperator = unary('Relu', SIGNED_NUMBERS)
/** The greatest whole number not above x. */
export const floor: UnaryOperator = unary('Floor', FLOATS)
/** The least whole number not below x. */
export const ceil: UnaryOperator = unary('Ceil', FLOATS)
/** The nearest whole number, ties to even. */
export const round: UnaryOperator = unary('Round', FLOATS)
/** True where x is not a number. */
export const isNotANumber: UnaryOperator = unary('IsNaN', FLOATS, 'bool')
/** Logical negation. */
export const not: UnaryOperator = unary('Not', ['bool'])
/** x itself: a second name for a value. */
export const identity: UnaryOperator = (x, options) => emit(beginCall('Identity', { x }, options), {}, x.type, x.dims, x.known)

/** True where `a = b`. */
export const equal: BinaryOperator = comparison('Equal', [...NUMBERS, 'bool'])
/** True where `a < b`. */
export const less: BinaryOperator = comparison('Less', NUMBERS)
/** True where `a <= b`. */
export const lessOrEqual: BinaryOperator = comparison('LessOrEqual', NUMBERS)
/** True where `a > b`. */
export const greater: BinaryOperator = comparison('Greater', NUMBERS)
/** True where `a >= b`. */
export const greaterOrEqual: BinaryOperator = comparison('GreaterOrEqual', NUMBERS)
/** Logical and. */
export const and: BinaryOperator = comparison('And', ['bool'])
/** Logical or. */
export const or: BinaryOperator = comparison('Or', ['bool'])

/** `base ^ exponent`, with the element type of the base. */
export function power(base: Value, exponent: Operand, options?: NodeOptions): Value {
  const call = beginCall('Pow', { base, exponent: operandValue(exponent, base.graph, base.type) }, options)
  requireType(call, 'base', [...FLOATS, 'int32', 'int64'])
  requireType(call, 'exponent', NUMBERS)
  return emit(call, {}, base.type, broadcastDims(call, base.dims, typeof exponent === 'number' ? [] : exponent.dims))
}

/** The remainder. It has the sign of the divisor for whole numbers, of the dividend for fractions. */
export function mod(a: Value, b: Operand, options?: NodeOptions): Value {
  const divisor = operandValue(b, a.graph, a.type)
  const call = beginCall('Mod', { a, b: divisor }, options)
  requireType(call, 'a', NUMBERS)
  requireSameType(call)
  return emit(call, { fmod: int(FLOATS.includes(a.type)) }, a.type, broadcastDims(call, a.dims, divisor.dims))
}

/** Gaussian error linear unit: `x Φ(x)`, exact or by the tanh approximation. */
export function gelu(
  x: Value,
  { approximation = 'none', ...options }: NodeOptions & { readonly approximation?: 'none' | 'tanh' } = {},
): Value {
  const call = beginCall('Gelu', { x }, options)
  requireType(call, 'x', FLOATS)
  return emit(call, { approximate: text(approximation) }, x.type, x.dims)
}

/** `x sigmoid(alpha x)`: with the default 1.702 an approximation of gelu, with 1 the SiLU. An operator of ONNX Runtime. */
export function quickGelu(x: Value, { alpha = 1.702, ...options }: NodeOptions & { readonly alpha?: number } = {}): Value {
  const call = beginCall('QuickGelu', { x }, options, 'com.microsoft')
  requireType(call, 'x', FLOATS)
  return emit(call, { alpha: float(alpha) }, x.type, x.dims)
}

/** The tanh approximation of gelu, of `x + bias` when there is a bias [last dimension]. An operator of ONNX Runtime. */
export function fastGelu(x: Value, bias?: Value, options?: NodeOptions): Value {
  const call = beginCall('FastGelu', { x, bias }, options, 'com.microsoft')
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  requireDims(call, 'bias', x.dims.slice(-1))
  return emit(call, {}, x.type, x.dims)
}

/** Exact gelu of `x + bias`, bias [last dimension]. An operator of ONNX Runtime. */
export function biasGelu(x: Value, bias: Value, options?: NodeOptions): Value {
  const call = beginCall('BiasGelu', { x, bias }, options, 'com.microsoft')
  requireType(call, 'x', FLOATS)
  requireSameType(call)
  requireDims(call, 'bias', x.dims.slice(-1))
  return emit(call, {}, x.type, x.dims)
}

/** x within `[least, most]`. */
export function clip(x: Value, least?: Operand, most?: Operand, options?: NodeOptions): Value {
  const bound = (operand: Operand | undefined) => (operand === undefined ? undefined : operandValue(operand, x.graph, x.type))
  const call = beginCall('Clip', { x, least: bound(least), most: bound(most) }, options)
  requireType(call, 'x', NUMBERS)
  requireSameType(call)
  for (const label of ['least', 'most']) requireRank(call, label, 0)
  return emit(call, {}, x.type, x.dims)
}

/** `a` where the condition is true, `b` elsewhere. */
export function where(condition: Value, a: Operand, b: Operand, options?: NodeOptions): Value {
  const type = elementTypeOfOperands(a, b)
  const one = operandValue(a, condition.graph, type)
  const other = operandValue(b, condition.graph, type)
  const call = beginCall('Where', { condition, a: one, b: other }, options)
  requireType(call, 'condition', ['bool'])
  requireSameType(call, ['a', 'b'])
  return emit(call, {}, type, broadcastDims(call, condition.dims, one.dims, other.dims))
}

/** The same elements in another type. Fractions are cut towards zero on the way to whole numbers. */
export function cast(x: Value, type: DType, options?: NodeOptions): Value {
  const call = beginCall('Cast', { x }, options)
  const keepsKnown = INTEGERS.includes(x.type) && (type === 'int64' || type === 'int32')
  return emit(call, { to: { kind: 'int', value: ONNX_TYPE[type] } }, type, x.dims, keepsKnown ? x.known : undefined)
}

/** A float32 constant without dimensions. */
export function scalar(graph: Graph, value: number, type: DType = 'float32'): Value {
  return graph.constant(type, [], [value])
}

function unary(operator: string, types: readonly DType[], result?: DType): UnaryOperator {
  return (x, options) => {
    const call = beginCall(operator, { x }, options)
    requireType(call, 'x', types)
    return emit(call, {}, result ?? x.type, x.dims)
  }
}

function binary(operator: string, types: readonly DType[], onKnown?: (a: Dim, b: Dim) => Dim): BinaryOperator {
  return (a, b, options) => {
    const [one, other] = operands(a, b)
    const call = beginCall(operator, { a: one, b: other }, options)
    requireType(call, 'a', types)
    requireSameType(call)
    const dims = broadcastDims(call, one.dims, other.dims)
    return emit(call, {}, one.type, dims, onKnown === undefined ? undefined : combineKnown(one, other, onKnown))
  }
}

function comparison(operator: string, types: readonly DType[]): BinaryOperator {
  return (a, b, options) => {
    const [one, other] = operands(a, b)
    const call = beginCall(operator, { a: one, b: other }, options)
    requireType(call, 'a', types)
    requireSameType(call)
    return emit(call, {}, 'bool', broadcastDims(call, one.dims, other.dims))
  }
}

function variadic(operator: string, types: readonly DType[]): VariadicOperator {
  return (operands, options) => {
    const type = elementTypeOfOperands(...operands)
    const graph = graphOfOperands(operands)
    const values = operands.map((operand) => operandValue(operand, graph, type))
    const call = beginCall(operator, values, options)
    requireType(call, 'input 0', types)
    requireSameType(call)
    return emit(call, {}, type, broadcastDims(call, ...values.map((value) => value.dims)))
  }
}

function operands(a: Operand, b: Operand): readonly [Value, Value] {
  const type = elementTypeOfOperands(a, b)
  const graph = graphOfOperands([a, b])
  return [operandValue(a, graph, type), operandValue(b, graph, type)]
}

function elementTypeOfOperands(...operands: readonly Operand[]): DType {
  for (const operand of operands) if (typeof operand !== 'number') return operand.type
  return 'float32'
}

function graphOfOperands(operands: readonly Operand[]): Graph {
  for (const operand of operands) if (typeof operand !== 'number') return operand.graph
  throw new GraphError({ field: 'operands', found: 'only numbers', expected: 'at least one value' })
}

function combineKnown(a: Value, b: Value, combine: (a: Dim, b: Dim) => Dim): readonly Dim[] | undefined {
  const left = a.known
  const right = b.known
  if (left === undefined || right === undefined) return undefined
  const length = Math.max(left.length, right.length)
  if ((left.length !== length && left.length !== 1) || (right.length !== length && right.length !== 1)) return undefined
  return Array.from({ length }, (_, index) => combine(left[left.length === 1 ? 0 : index] ?? 0, right[right.length === 1 ? 0 : index] ?? 0))
}
