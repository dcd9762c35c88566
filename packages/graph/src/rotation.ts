/** Rotations of rows (`Rotation` of `@foretoken/tensor`) as small float products, which give a row the same bits whatever stands beside it. */
import { hadamardMatrix, type Rotation } from '@foretoken/tensor'
import type { Graph } from './graph.ts'
import { oncePerGraph } from './once.ts'
import { compositeCall, dimAt, requireType, shapeError } from './operator.ts'
import { multiply } from './operators/elementwise.ts'
import { matMul } from './operators/product.ts'
import { reshape } from './operators/shape.ts'
import type { Value } from './value.ts'

/** x R. @param x  float32 [..., width] */
export function rotateRows(x: Value, rotation: Rotation): Value {
  const { signs, mixing, blockSize } = rotation
  checkRows(x, rotation)
  const signed = signs === undefined ? x : multiply(x, signVector(x.graph, signs))
  return inBlocks(signed, rotation, (blocks) => {
    const transformed = matMul(blocks, hadamard(x.graph, blockSize)) // [..., blocks, blockSize]
    return mixing === undefined ? transformed : matMul(mixingMatrix(x.graph, mixing, 'transposed'), transformed)
  })
}

/** x R⁻¹. @param x  float32 [..., width] */
export function rotateRowsBack(x: Value, rotation: Rotation): Value {
  const { signs, mixing, blockSize } = rotation
  checkRows(x, rotation)
  const back = inBlocks(x, rotation, (blocks) => {
    const apart = mixing === undefined ? blocks : matMul(mixingMatrix(x.graph, mixing, 'as it is'), blocks)
    return matMul(apart, hadamard(x.graph, blockSize))
  })
  return signs === undefined ? back : multiply(back, signVector(x.graph, signs))
}

function inBlocks(x: Value, { width, blockSize }: Rotation, transform: (blocks: Value) => Value): Value {
  if (width === blockSize) return transform(x)
  return reshape(transform(reshape(x, [...x.dims.slice(0, -1), width / blockSize, blockSize])), x.dims)
}

function hadamard(graph: Graph, size: number): Value {
  return table(graph, `hadamard.${size}`, [size, size], () => hadamardMatrix(size))
}

function signVector(graph: Graph, signs: Float32Array): Value {
  return table(graph, `rotation.${keyOf(signs)}.signs`, [signs.length], () => signs)
}

/** Rows of blocks are mixed from the left, so xR takes the transpose. */
function mixingMatrix(graph: Graph, mixing: Float32Array, form: 'as it is' | 'transposed'): Value {
  const size = Math.sqrt(mixing.length)
  if (form === 'as it is') return table(graph, `rotation.${keyOf(mixing)}.mixing`, [size, size], () => mixing)
  return table(graph, `rotation.${keyOf(mixing)}.mixingTransposed`, [size, size], () =>
    Float32Array.from(mixing, (_, at) => mixing[(at % size) * size + Math.floor(at / size)] ?? 0),
  )
}

function table(graph: Graph, name: string, dims: readonly number[], values: () => Float32Array): Value {
  return oncePerGraph(graph, name, () => graph.initializer(name, 'float32', dims, values()))
}

/** The bits as a short name, so that other numbers are another graph (FNV-1a). */
function keyOf(values: Float32Array): string {
  let hash = 0x811c9dc5
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16)
}

function checkRows(x: Value, { width }: Rotation): void {
  const call = compositeCall('rotation', 'rotation', { x }, x.graph)
  requireType(call, 'x', ['float32'])
  if (dimAt(x, -1) !== width) throw shapeError(call, `the last dimension of x to be ${width}, the width of the rotation`)
}
