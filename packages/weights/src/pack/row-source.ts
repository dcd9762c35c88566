import { ArgumentError, type ErrorPlace } from '@foretoken/tensor'
import { checkedElements, elementReader } from '../decode/decode.ts'
import { isPlain, layoutOf } from '../encoding.ts'
import { WeightsFormatError } from '../errors.ts'
import type { StoredTensor } from '../weight-store.ts'

/** A weight [outputs, inputs] whose rows are decoded when they are asked for, so that it is never whole in float32. */
export interface RowSource {
  readonly outputs: number
  readonly inputs: number
  /** Writes rows [first, first + count) into `into`, from its start. */
  readRows(first: number, count: number, into: Float32Array): void
  /** The whole weight as [inputs, outputs], where it exists only as a whole. */
  turned?(): Float32Array
  /** The place of a row, for error messages. */
  placeOf(row: number): ErrorPlace
}

/** One of several weights that are stacked by rows. */
export interface StackedPart {
  readonly stored: StoredTensor
  /** For each row of the result the row of the tensor that it is; all rows in their order when absent. */
  readonly rowOrder?: Int32Array | undefined
  /** The tensor is stored as [inputs, outputs] (GPT-2's `Conv1D`). */
  readonly isTransposed?: boolean | undefined
}

/** Rows that are in memory already. */
export function rowsInMemory(rows: Float32Array, { outputs, inputs }: { readonly outputs: number; readonly inputs: number }): RowSource {
  if (rows.length !== outputs * inputs) {
    throw new ArgumentError({ field: 'rows', found: `${rows.length} values`, expected: `${outputs} rows of ${inputs}` })
  }
  return {
    outputs,
    inputs,
    readRows: (first, count, into) => into.set(rows.subarray(first * inputs, (first + count) * inputs)),
    placeOf: (row) => ({ field: `row ${row}` }),
  }
}

/**
 * Stored tensors stacked by rows, in the order given.
 *
 * @throws {ArgumentError} when a tensor is no matrix, the widths differ, or a row order names a row that is not there
 */
export function stackedRows(parts: readonly StackedPart[]): RowSource {
  const sources = parts.map(partRows)
  const [only] = sources
  if (only === undefined) throw new ArgumentError({ field: 'parts', found: 'no tensors', expected: 'at least one' })
  if (sources.length === 1) return only
  const starts: number[] = []
  let outputs = 0
  for (const source of sources) {
    if (source.inputs !== only.inputs) {
      throw new ArgumentError({
        ...source.placeOf(0),
        found: `rows of ${source.inputs}`,
        expected: `rows of ${only.inputs}, as in the tensors before it`,
      })
    }
    starts.push(outputs)
    outputs += source.outputs
  }
  const partOf = (row: number) => {
    const index = starts.findLastIndex((start) => start <= row)
    return { source: sources[index] ?? only, start: starts[index] ?? 0 }
  }
  return {
    outputs,
    inputs: only.inputs,
    readRows(first, count, into) {
      for (let row = first; row < first + count; ) {
        const { source, start } = partOf(row)
        const rows = Math.min(first + count, start + source.outputs) - row
        source.readRows(row - start, rows, into.subarray((row - first) * only.inputs))
        row += rows
      }
    },
    placeOf(row) {
      const { source, start } = partOf(row)
      return source.placeOf(row - start)
    },
  }
}

function partRows(part: StackedPart): RowSource {
  const { stored, rowOrder, isTransposed = false } = part
  const { info, shape } = stored
  const place = { file: info.file, tensor: info.name }
  const [rows, columns] = shape
  if (rows === undefined || columns === undefined || shape.length !== 2) {
    throw new ArgumentError({ ...place, found: `shape [${shape.join(', ')}]`, expected: 'a matrix' })
  }
  checkedElements(stored)
  const [storedOutputs, inputs] = isTransposed ? [columns, rows] : [rows, columns]
  if (rowOrder !== undefined) checkOrder(rowOrder, storedOutputs, place)
  const readRow = isTransposed ? columnReader(stored) : rowReader(stored)
  return {
    outputs: rowOrder?.length ?? storedOutputs,
    inputs,
    placeOf: (row) => ({ ...place, field: `row ${rowOrder?.[row] ?? row}` }),
    readRows(first, count, into) {
      if (rowOrder === undefined) return readRow(first, count, into)
      for (let row = 0; row < count; row++) readRow(rowOrder[first + row] ?? 0, 1, into.subarray(row * inputs))
    },
  }
}

type ReadRows = (first: number, count: number, into: Float32Array) => void

function rowReader({ info, shape, bytes }: StoredTensor): ReadRows {
  const columns = shape[1] ?? 0
  if (columns % layoutOf(info.encoding).elements !== 0) {
    throw new WeightsFormatError({
      file: info.file,
      tensor: info.name,
      found: `rows of ${columns} elements in ${info.encoding}`,
      expected: 'rows of whole blocks',
    })
  }
  const decode = elementReader(info)
  return (first, count, into) => decode(bytes, first * columns, count * columns, into, 0)
}

/** Rows of the transposed matrix: a strip of columns is decoded and turned. Only for elements that stand alone. */
function columnReader({ info, shape, bytes }: StoredTensor): ReadRows {
  const [inputs = 0, outputs = 0] = shape
  if (!isPlain(info.encoding)) {
    throw new ArgumentError({
      file: info.file,
      tensor: info.name,
      found: `a transposed tensor in ${info.encoding}`,
      expected: 'an encoding without blocks',
    })
  }
  const decode = elementReader(info)
  let strip = new Float32Array(0)
  return (first, count, into) => {
    if (strip.length < count) strip = new Float32Array(count)
    for (let input = 0; input < inputs; input++) {
      decode(bytes, input * outputs + first, count, strip, 0)
      for (let row = 0; row < count; row++) into[row * inputs + input] = strip[row] ?? 0
    }
  }
}

function checkOrder(rowOrder: Int32Array, rows: number, place: ErrorPlace): void {
  for (const row of rowOrder) {
    if (row >= 0 && row < rows) continue
    throw new ArgumentError({ ...place, field: 'rowOrder', found: `row ${row}`, expected: `rows from 0 to ${rows - 1}` })
  }
}
