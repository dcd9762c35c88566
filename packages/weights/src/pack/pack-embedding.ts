import { ArgumentError } from '@foretoken/tensor'
import { decodeToFloat32 } from '../decode/decode.ts'
import type { StoredTensor } from '../weight-store.ts'
import { packStored } from './pack-linear.ts'

/**
 * A table of rows that are looked up. `f32` is the table itself, [rows, width]. `int8-blocks` has the layout of a linear weight in blocks of 32 with 8 bits:
 * values [rows, blocks * 32] with zero point 128, scales [rows, blocks]; a head that shares its weights with the embedding can use the same bytes.
 */
export type PackedEmbedding =
  | { readonly format: 'f32'; readonly rows: number; readonly width: number; readonly values: Float32Array }
  | {
      readonly format: 'int8-blocks'
      readonly rows: number
      readonly width: number
      readonly values: Uint8Array
      readonly scales: Float32Array
    }

/**
 * Packs an embedding table [rows, width].
 *
 * @throws {ArgumentError} when the tensor is no matrix
 * @throws {WeightsFormatError} when a value is NaN or infinite and is to become an integer
 */
export function packEmbedding(stored: StoredTensor, format: PackedEmbedding['format']): PackedEmbedding {
  const [rows, width] = stored.shape
  if (rows === undefined || width === undefined || stored.shape.length !== 2) {
    throw new ArgumentError({
      file: stored.info.file,
      tensor: stored.info.name,
      found: `shape [${stored.shape.join(', ')}]`,
      expected: 'a matrix',
    })
  }
  if (format === 'f32') return { format, rows, width, values: decodeToFloat32(stored) }
  const { parts } = packStored(stored, { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false })
  const { values, scales } = parts
  if (values instanceof Uint8Array && scales !== undefined) return { format, rows, width, values, scales }
  throw new ArgumentError({ tensor: stored.info.name, found: 'a packed weight without scales', expected: 'blocks' })
}
