/**
 * Activations as uint8 with one scale per row: `x ≈ (values - 128) * scale`, `scale = max|row| / 127`. A row is quantised by
 * itself, which is what makes its products independent of the rows beside it. Computed once per value.
 */

import { oncePerGraph, oncePerValue } from './once.ts'
import { dimAt } from './operator.ts'
import { absolute, maximum, multiply } from './operators/elementwise.ts'
import { quantizeLinear } from './operators/quantization.ts'
import { reduceMax } from './operators/reduction.ts'
import { expand, reshape, reshapeTo, shapeOf } from './operators/shape.ts'
import type { Value } from './value.ts'

export const ROW_ZERO_POINT = 128

/** A row of zeros has this scale instead of 0, by which nothing can be divided. */
const LEAST_ROW_SCALE = 1e-30

export interface QuantizedRows {
  /** uint8, the dimensions of x */
  readonly values: Value
  /** float32 [..., 1] */
  readonly scales: Value
}

/** @param x  float32 [..., inputs] */
export function quantizeRows(x: Value): QuantizedRows {
  const scales = oncePerValue(x, 'row scales', () => maximum([multiply(reduceMax(absolute(x), [-1]), 1 / 127), LEAST_ROW_SCALE]))
  const values = oncePerValue(x, 'quantised rows', () => {
    const vector = reshape(scales, [-1])
    const zeroPoints = oncePerGraph(x.graph, `row zero points ${vector.dims.join()}`, () =>
      expand(x.graph.constant('uint8', [1], [ROW_ZERO_POINT]), shapeOf(vector)),
    )
    const axis = x.dims.length - 2
    // The operator takes scales along one axis, so all rows must lie on one.
    if (axis >= 0 && x.dims.every((dim, at) => at >= axis || dim === 1)) return quantizeLinear(x, vector, zeroPoints, { axis })
    const rows = reshape(x, [-1, dimAt(x, -1)])
    return reshapeTo(quantizeLinear(rows, vector, zeroPoints, { axis: 0 }), shapeOf(x))
  })
  return { values, scales }
}
