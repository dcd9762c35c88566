/**
 * Broadcasting as in numpy and ONNX: dimensions are compared from the last one on; where one of them is 1 the other counts.
 * A symbol equals only itself, so `[a, 64]` with `[b, 64]` is refused: `assumeDims` says so where the author knows more.
 */
import { type Dim, sameDim } from './dimension.ts'
import { type Call, shapeError } from './operator.ts'

/** The dimensions that values of all these dimensions have together. */
export function broadcastDims(call: Call, ...all: readonly (readonly Dim[])[]): readonly Dim[] {
  let result: readonly Dim[] = []
  for (const dims of all) result = broadcastPair(call, result, dims)
  return result
}

function broadcastPair(call: Call, a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1
    const right = b[axis - rank + b.length] ?? 1
    if (left === 1) return right
    if (right === 1 || sameDim(left, right)) return left
    throw shapeError(call, `dimensions that are equal or 1, but ${left} meets ${right} (axis ${axis - rank} from the end)`)
  })
}
