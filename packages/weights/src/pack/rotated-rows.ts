/**
 * Weights for a model that runs in another basis. Where the rows x that enter a product are `(x ∘ scale⁻¹) R`, each row of the weight is multiplied by the
 * scale and by R, and the product is what it was; where its result is to be y R, the columns of the weight are rotated.
 */
import { ArgumentError, type Rotation, rowRotator } from '@foretoken/tensor'
import { greatestMagnitude, notFinite } from './int8-rows.ts'
import type { RowSource } from './row-source.ts'

/** How the rows that enter a product, and those that come out of it, differ from the rows that the weight was trained on. */
export interface WeightBasis {
  /** [inputs] that the trained rows were multiplied by and these are not: the scale of a norm. */
  readonly scale?: Float32Array | undefined
  /** What the rows that enter are multiplied by. */
  readonly inputs?: Rotation | undefined
  /** What the rows that come out are to be multiplied by. */
  readonly outputs?: Rotation | undefined
}

/** The weight for this basis. @throws {ArgumentError} when the basis has another width */
export function weightInBasis(source: RowSource, { scale, inputs, outputs }: WeightBasis): RowSource {
  const read = scale === undefined && inputs === undefined ? source : withOtherInputs(source, scale, inputs)
  return outputs === undefined ? read : withRotatedOutputs(read, outputs)
}

function withOtherInputs(source: RowSource, scale: Float32Array | undefined, rotation: Rotation | undefined): RowSource {
  const { inputs } = source
  checkWidth(source, inputs, rotation?.width ?? inputs)
  checkWidth(source, inputs, scale?.length ?? inputs)
  const change = rotation === undefined ? scaling(inputs, scale) : rowRotator(rotation, scale)
  return {
    ...source,
    readRows(first, count, into) {
      source.readRows(first, count, into)
      change(into, 0, count)
    },
  }
}

/** Rows that are turned together: 16 floats are one cache line of the result. */
const ROWS_AT_A_TIME = 16

/** The weight exists as a whole in float32, since each of its rows is a mixture of all: turned, so that what is rotated lies together. */
function withRotatedOutputs(source: RowSource, rotation: Rotation): RowSource {
  const { outputs, inputs } = source
  checkWidth(source, outputs, rotation.width)
  let whole: Float32Array | undefined
  const turned = (): Float32Array => {
    const columns = new Float32Array(inputs * outputs)
    const rows = new Float32Array(ROWS_AT_A_TIME * inputs)
    const bits = new Int32Array(rows.buffer)
    for (let first = 0; first < outputs; first += ROWS_AT_A_TIME) {
      const count = Math.min(ROWS_AT_A_TIME, outputs - first)
      source.readRows(first, count, rows)
      for (let row = 0; row < count; row++) {
        // looked for here, since it would spread over all rows
        if (!Number.isFinite(greatestMagnitude(bits, row * inputs, inputs))) throw notFinite(source, first + row)
      }
      for (let input = 0; input < inputs; input++) {
        const to = input * outputs + first
        for (let row = 0; row < count; row++) columns[to + row] = rows[row * inputs + input] ?? 0
      }
    }
    rowRotator(rotation)(columns, 0, inputs)
    return columns
  }
  return {
    ...source,
    turned() {
      whole ??= turned()
      return whole
    },
    readRows(first, count, into) {
      whole ??= turned()
      for (let input = 0; input < inputs; input++) {
        for (let row = 0; row < count; row++) into[row * inputs + input] = whole[input * outputs + first + row] ?? 0
      }
    },
  }
}

function scaling(width: number, scale: Float32Array | undefined): (rows: Float32Array, start: number, count: number) => void {
  return (rows, start, count) => {
    if (scale === undefined) return
    for (let first = start; first < start + count * width; first += width) {
      for (let at = 0; at < width; at++) rows[first + at] = (rows[first + at] ?? 0) * (scale[at] ?? 0)
    }
  }
}

function checkWidth(source: RowSource, found: number, expected: number): void {
  if (found !== expected)
    throw new ArgumentError({ ...source.placeOf(0), found: `a width of ${found}`, expected: `${expected}, that of the basis` })
}
