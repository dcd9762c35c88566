import type { LinearFormat, PackedLinear } from '@foretoken/tensor'
import { searchRange, searchScale } from './block-search.ts'
import { greatestMagnitude, notFinite } from './int8-rows.ts'
import type { RowSource } from './row-source.ts'

export type BlocksFormat = Extract<LinearFormat, { kind: 'blocks' }>

const ROWS_AT_A_TIME = 16

/**
 * Packs into `blocks`. Eight bits: the scale that the greatest magnitude (or the range) asks for, every value the nearest step. Four bits: the scale, and
 * the minimum where the format has one, are searched for the least squared error (block-search.ts).
 *
 * @throws {WeightsFormatError} when a block holds NaN or an infinity
 */
export function packBlocks(source: RowSource, format: BlocksFormat): PackedLinear {
  const { outputs, inputs } = source
  const { bits, blockSize, hasMinima } = format
  const room = roomForBlocks(source, format)
  const { blocks, values, scales, corrections } = room
  const padded = blocks * blockSize
  const rows = new Float32Array(ROWS_AT_A_TIME * inputs)
  const block = new Float32Array(blockSize)
  const bitsOfBlock = new Int32Array(block.buffer)
  const quants = new Uint8Array(blockSize)
  for (let first = 0; first < outputs; first += ROWS_AT_A_TIME) {
    const count = Math.min(ROWS_AT_A_TIME, outputs - first)
    source.readRows(first, count, rows)
    for (let row = 0; row < count; row++) {
      const output = first + row
      for (let index = 0; index < blocks; index++) {
        const start = index * blockSize
        const filled = Math.min(blockSize, inputs - start)
        block.set(rows.subarray(row * inputs + start, row * inputs + start + filled))
        const greatest = greatestMagnitude(bitsOfBlock, 0, filled)
        if (!Number.isFinite(greatest)) throw notFinite(source, output)
        const fitted = hasMinima ? searchRange(block, filled, bits, quants) : searchScale(block, filled, bits, quants)
        quants.fill(1 << (bits - 1), filled)
        scales[output * blocks + index] = fitted.scale
        if (corrections !== undefined) corrections[index * outputs + output] = fitted.correction
        writeQuants(quants, bits, values, ((output * padded + start) * bits) / 8)
      }
    }
  }
  return packedBlocks(source, format, room)
}

export interface BlocksRoom {
  readonly blocks: number
  readonly values: Uint8Array
  readonly scales: Float32Array
  readonly corrections: Float32Array | undefined
}

/** The arrays of a packed weight, to be filled. */
export function roomForBlocks({ outputs, inputs }: RowSource, { bits, blockSize, hasMinima }: BlocksFormat): BlocksRoom {
  const blocks = Math.ceil(inputs / blockSize)
  return {
    blocks,
    values: new Uint8Array((outputs * blocks * blockSize * bits) / 8),
    scales: new Float32Array(outputs * blocks),
    corrections: hasMinima ? new Float32Array(blocks * outputs) : undefined,
  }
}

/** The filled arrays as a packed weight. */
export function packedBlocks(
  { outputs, inputs }: RowSource,
  format: BlocksFormat,
  { values, scales, corrections }: BlocksRoom,
): PackedLinear {
  return { format, outputs, inputs, parts: corrections === undefined ? { values, scales } : { values, scales, corrections } }
}

/** Writes a block's quants: bytes, or pairs of neighbours with the first in the low nibble. */
function writeQuants(quants: Uint8Array, bits: 4 | 8, values: Uint8Array, at: number): void {
  if (bits === 8) {
    values.set(quants, at)
    return
  }
  for (let i = 0; i < quants.length; i += 2) values[at + (i >> 1)] = (quants[i] ?? 0) | ((quants[i + 1] ?? 0) << 4)
}
