import { ArgumentError, type LinearFormat, type PackedLinear } from '@foretoken/tensor'
import type { StoredTensor } from '../weight-store.ts'
import { type BlocksFormat, packBlocks } from './blocks.ts'
import { canCarry, carryBlocks } from './carry.ts'
import { packFloatRows } from './float-rows.ts'
import { packInt8Rows } from './int8-rows.ts'
import { type WeightBasis, weightInBasis } from './rotated-rows.ts'
import { type RowSource, rowsInMemory, type StackedPart, stackedRows } from './row-source.ts'

/**
 * Packs a weight that is in memory as float32.
 *
 * @param rows  [outputs, inputs] row-major
 * @returns     the parts that the format names (see `PackedLinear`); the caller's own
 * @throws {WeightsFormatError} when a weight is NaN or infinite and the format holds integers
 */
export function packLinear(
  rows: Float32Array,
  { outputs, inputs, format }: { readonly outputs: number; readonly inputs: number; readonly format: LinearFormat },
): PackedLinear {
  return packRows(rowsInMemory(rows, { outputs, inputs }), format)
}

/**
 * Packs a stored weight, or several stacked by rows (Q, K and V of a layer). Blocks that the format can express are carried over without loss (`losslessFormat`
 * says which format that is); everything else is decoded a few rows at a time and quantised, so no whole float32 copy ever exists.
 *
 * @param parts  matrices of the same width, each with an order of its rows if they are to be permuted
 * @param basis  in which the product runs, where that is not the one of the file; blocks are quantised anew then
 * @throws {ArgumentError} when a tensor is no matrix, widths differ, or a row order names a row that is not there
 * @throws {WeightsFormatError} when a weight is NaN or infinite and the format holds integers
 */
export function packStored(parts: StoredTensor | readonly StackedPart[], format: LinearFormat, basis?: WeightBasis): PackedLinear {
  const stacked: readonly StackedPart[] = 'info' in parts ? [{ stored: parts }] : parts
  if (format.kind === 'blocks' && basis === undefined && stacked.every((part) => isCarried(part, format))) {
    return carryBlocks(stacked, format)
  }
  const source = stackedRows(stacked)
  return packRows(basis === undefined ? source : weightInBasis(source, basis), format)
}

function isCarried({ stored, isTransposed = false }: StackedPart, format: BlocksFormat): boolean {
  return !isTransposed && canCarry(stored.info.encoding, format)
}

function packRows(source: RowSource, format: LinearFormat): PackedLinear {
  switch (format.kind) {
    case 'f32':
      return packFloatRows(source)
    case 'int8-rows':
      return packInt8Rows(source, format)
    case 'blocks':
      return packBlocks(source, format)
    default:
      throw new ArgumentError({ field: 'format', found: JSON.stringify(format satisfies never), expected: 'f32, int8-rows or blocks' })
  }
}
