/**
 * Weights for a model that runs in another basis. Where the rows x that enter a product are `(x ∘ scale⁻¹) R`, each row of the weight is multiplied by the
 * scale and by R, and the product is what it was; where its result is to be y R, the columns of the weight are rotated.
 */
import { ArgumentError, type Rotation, rowRotator } from '@foretoken/tensor'
import type { RowSource } from './row-source.ts'

/** How the rows that enter a product differ from those that the weight was trained on. */
export interface RowBasis {
  /** [inputs] that the trained rows were multiplied by and these are not: the scale of a norm. */
  readonly scale?: Float32Array | undefined
  readonly rotation?: Rotation | undefined
}

/** The weight for inputs in this basis. @throws {ArgumentError} when the basis has another width */
export function rowsInBasis(source: RowSource, { scale, rotation }: RowBasis): RowSource {
  const { inputs } = source
  checkWidth(source, inputs, rotation?.width ?? inputs)
  checkWidth(source, inputs, scale?.length ?? inputs)
  const rotate = rotation === undefined ? scaling(inputs, scale) : rowRotator(rotation, scale)
  return {
    ...source,
    readRows(first, count, into) {
      source.readRows(first, count, into)
      rotate(into, 0, count)
    },
  }
}

/** Columns that are turned together: 16 floats are one cache line of the weight. */
const COLUMNS_AT_A_TIME = 16

/** The weight whose outputs are rotated. It is decoded as a whole in float32, since each of its rows is a mixture of all. */
export function withRotatedOutputs(source: RowSource, rotation: Rotation): RowSource {
  const { outputs, inputs } = source
  checkWidth(source, outputs, rotation.width)
  let whole: Float32Array | undefined
  const rotated = (): Float32Array => {
    const rows = new Float32Array(outputs * inputs)
    source.readRows(0, outputs, rows)
    const rotate = rowRotator(rotation)
    const columns = new Float32Array(COLUMNS_AT_A_TIME * outputs)
    for (let first = 0; first < inputs; first += COLUMNS_AT_A_TIME) {
      const count = Math.min(COLUMNS_AT_A_TIME, inputs - first)
      for (let row = 0; row < outputs; row++) {
        for (let column = 0; column < count; column++) columns[column * outputs + row] = rows[row * inputs + first + column] ?? 0
      }
      rotate(columns, 0, count)
      for (let row = 0; row < outputs; row++) {
        for (let column = 0; column < count; column++) rows[row * inputs + first + column] = columns[column * outputs + row] ?? 0
      }
    }
    return rows
  }
  return {
    ...source,
    readRows(first, count, into) {
      whole ??= rotated()
      into.set(whole.subarray(first * inputs, (first + count) * inputs))
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
