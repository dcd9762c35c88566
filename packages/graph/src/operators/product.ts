/**
 * Matrix products. Leading dimensions are batches and are broadcast. Note for exactness: ONNX Runtime's CPU and wasm kernels
 * take another path for a result with one column, whose sums associate differently; `fusedMatMul` with an alpha other than 1 stays on the general path.
 * Scale the other operand by a vector then: a factor that is one number is folded back into alpha.
 */
import type { DType } from '@foretoken/tensor'
import { broadcastDims } from '../broadcasting.ts'
import { type Dim, sameDim } from '../dimension.ts'
import { FLOATS } from '../element-type.ts'
import { float, int, text } from '../node.ts'
import { beginCall, type Call, dimAt, emit, type NodeOptions, requireRank, requireSameType, requireType, shapeError } from '../operator.ts'
import type { Value } from '../value.ts'

const MULTIPLIABLE: readonly DType[] = [...FLOATS, 'int32', 'int64', 'uint32', 'uint64']

/** `a @ b`: [..., rows, inner] by [..., inner, columns]; vectors count as one row or one column, which then disappears. */
export function matMul(a: Value, b: Value, options?: NodeOptions): Value {
  const call = beginCall('MatMul', { a, b }, options)
  requireType(call, 'a', MULTIPLIABLE)
  requireSameType(call)
  return emit(call, {}, a.type, productDims(call, a.dims, b.dims))
}

export interface FusedMatMulOptions extends NodeOptions {
  /** Whether the last two dimensions are exchanged before the product. */
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  /**
   * Whether the first dimension is moved behind the other batch dimensions: [past, heads, dim] is read as the batch `heads` of
   * [past, dim], in place. An empty `past` there ends the process in ONNX Runtime 1.30 (division by zero): never feed one.
   */
  readonly transposeBatchA?: boolean
  readonly transposeBatchB?: boolean
  /** Factor of the result; 1 when absent. */
  readonly alpha?: number
}

/** `alpha * op(a) @ op(b)` without copies of the transposed operands. An operator of ONNX Runtime. */
export function fusedMatMul(
  a: Value,
  b: Value,
  {
    transposeA = false,
    transposeB = false,
    transposeBatchA = false,
    transposeBatchB = false,
    alpha = 1,
    ...options
  }: FusedMatMulOptions = {},
): Value {
  const call = beginCall('FusedMatMul', { a, b }, options, 'com.microsoft')
  requireType(call, 'a', FLOATS)
  requireSameType(call)
  const left = readAs(a.dims, transposeA, transposeBatchA)
  const right = readAs(b.dims, transposeB, transposeBatchB)
  const attributes = {
    transA: int(transposeA),
    transB: int(transposeB),
    transBatchA: int(transposeBatchA),
    transBatchB: int(transposeBatchB),
    alpha: float(alpha),
  }
  return emit(call, attributes, a.type, productDims(call, left, right))
}

export interface GemmOptions extends NodeOptions {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  readonly alpha?: number
  readonly beta?: number
}

/** `alpha * op(a) @ op(b) + beta * c` for matrices; `c` is broadcast to the result. */
export function gemm(
  a: Value,
  b: Value,
  c?: Value,
  { transposeA = false, transposeB = false, alpha = 1, beta = 1, ...options }: GemmOptions = {},
): Value {
  const call = beginCall('Gemm', { a, b, c }, options)
  requireType(call, 'a', MULTIPLIABLE)
  requireSameType(call)
  requireRank(call, 'a', 2)
  requireRank(call, 'b', 2)
  const dims = productDims(call, readAs(a.dims, transposeA, false), readAs(b.dims, transposeB, false))
  if (c !== undefined && broadcastDims(call, dims, c.dims).some((dim, axis) => dims[axis] === undefined || !sameDim(dim, dims[axis]))) {
    throw shapeError(call, `c to broadcast to [${dims.join(', ')}]`)
  }
  return emit(call, { transA: int(transposeA), transB: int(transposeB), alpha: float(alpha), beta: float(beta) }, a.type, dims)
}

/** Sums of products by the letters of each axis: `einsum('bij,bjk->bik', [a, b])`. Ellipses are not supported. */
export function einsum(equation: string, values: readonly Value[], options?: NodeOptions): Value {
  const call = beginCall('Einsum', values, options)
  requireType(call, 'input 0', MULTIPLIABLE)
  requireSameType(call)
  const [left = '', right] = equation.replaceAll(' ', '').split('->')
  const terms = left.split(',')
  const sizes = new Map<string, Dim>()
  const counts = new Map<string, number>()
  if (terms.length !== values.length || !/^[A-Za-z,]*$/.test(left)) throw shapeError(call, `one term of letters per input in '${equation}'`)
  values.forEach((value, at) => {
    const letters = [...(terms[at] ?? '')]
    if (letters.length !== value.dims.length) throw shapeError(call, `input ${at} to have the dimensions ${terms[at]}`)
    letters.forEach((letter, axis) => {
      const size = sizes.get(letter)
      const dim = dimAt(value, axis)
      if (size !== undefined && !sameDim(size, dim)) throw shapeError(call, `one size for '${letter}', which is ${size} and ${dim}`)
      sizes.set(letter, dim)
      counts.set(letter, (counts.get(letter) ?? 0) + 1)
    })
  })
  const result = right === undefined ? [...counts.keys()].filter((letter) => counts.get(letter) === 1).sort() : [...right]
  const dims = result.map((letter) => {
    const size = sizes.get(letter)
    if (size === undefined) throw shapeError(call, `'${letter}' of the result to stand in an input of '${equation}'`)
    return size
  })
  return emit(call, { equation: text(equation) }, call.inputs.get('input 0')?.type ?? 'float32', dims)
}

/** Dimensions of a matrix product with broadcast batches. */
export function productDims(call: Call, a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  if (a.length === 0 || b.length === 0) throw shapeError(call, 'operands with at least one dimension')
  const left = a.length === 1 ? [1, ...a] : a
  const right = b.length === 1 ? [...b, 1] : b
  const inner = left.at(-1) ?? 1
  const other = right.at(-2) ?? 1
  if (!sameDim(inner, other)) throw shapeError(call, `the inner dimensions to be equal, but ${inner} meets ${other}`)
  const dims = [...broadcastDims(call, left.slice(0, -2), right.slice(0, -2))]
  if (a.length > 1) dims.push(left.at(-2) ?? 1)
  if (b.length > 1) dims.push(right.at(-1) ?? 1)
  return dims
}

function readAs(dims: readonly Dim[], isTransposed: boolean, isBatchTransposed: boolean): readonly Dim[] {
  if (dims.length < 2) return dims
  const read = [...dims]
  if (isBatchTransposed) {
    // ONNX Runtime: dimension 0 goes before the last one, the others move up.
    const [first = 1] = read.splice(0, 1)
    read.splice(read.length - 1, 0, first)
  }
  if (isTransposed) {
    const last = read.splice(-1, 1)
    read.splice(-1, 0, ...last)
  }
  return read
}
