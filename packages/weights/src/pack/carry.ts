/**
 * Carrying GGUF blocks into the packed format without loss: their integers and scales are kept, only the order of the nibbles changes (the low nibbles of a
 * Q4_1 block are elements 0 to 15, the packed format wants neighbours), quants are shifted to the format's zero point, and minima become corrections.
 *
 * What exactly is kept: in 8 bits, and in 4 bits without a minimum, unpacking gives the same float32 values as de-quantising. In 4 bits with quants 0..15
 * (Q4_1, Q4_K) the correction is `minimum + 8 * scale`, rounded once to float32, so values differ by that rounding.
 */
import type { LinearFormat, PackedLinear } from '@foretoken/tensor'
import { type BlockCodec, blockCodec, roomFor, type UnpackedBlocks } from '../decode/block-codec.ts'
import { layoutOf } from '../encoding.ts'
import type { StoredTensor, TensorEncoding } from '../weight-store.ts'
import { type BlocksFormat, type BlocksRoom, packedBlocks, roomForBlocks } from './blocks.ts'
import { type CarriedRows, directRows, type RowToCarry } from './direct-rows.ts'
import { type StackedPart, stackedRows } from './row-source.ts'

/** Rows that are carried together: 16 floats are one cache line of the corrections. */
const ROWS_AT_A_TIME = 16

/**
 * The smallest format that carries weights in all of these encodings without loss, or undefined when there is none.
 * Several encodings are those of tensors that are to be stacked, such as Q and K in Q4_K and V in Q6_K: 8 bits, blocks of 16, with minima.
 */
export function losslessFormat(...encodings: readonly TensorEncoding[]): LinearFormat | undefined {
  if (encodings.length > 0 && encodings.every((encoding) => encoding === 'F32' || encoding === 'F16' || encoding === 'BF16'))
    return { kind: 'f32' }
  let format: BlocksFormat | undefined
  for (const encoding of encodings) {
    const codec = blockCodec(encoding)
    if (codec === undefined) return undefined
    format = {
      kind: 'blocks',
      bits: codec.bits === 8 || format?.bits === 8 ? 8 : 4,
      blockSize: codec.groupSize < (format?.blockSize ?? 128) ? codec.groupSize : (format?.blockSize ?? codec.groupSize),
      hasMinima: codec.hasMinima || (format?.hasMinima ?? false),
    }
  }
  return format
}

/** Whether a format holds everything that an encoding says. */
export function canCarry(encoding: TensorEncoding, format: BlocksFormat): boolean {
  const codec = blockCodec(encoding)
  if (codec === undefined) return false
  return format.bits >= codec.bits && codec.groupSize % format.blockSize === 0 && (format.hasMinima || !codec.hasMinima)
}

/** Carries stacked tensors over, row by row. Every one of them can be carried, and none is transposed. */
export function carryBlocks(parts: readonly StackedPart[], format: BlocksFormat): PackedLinear {
  const shape = stackedRows(parts)
  const room = roomForBlocks(shape, format)
  let firstRow = 0
  for (const { stored, rowOrder } of parts) {
    const rows = rowOrder?.length ?? stored.shape[0] ?? 0
    carryRows({ stored, rowOrder, firstRow, outputs: shape.outputs }, format, room)
    firstRow += rows
  }
  return packedBlocks(shape, format, room)
}

interface CarriedPart {
  readonly stored: StoredTensor
  readonly rowOrder: Int32Array | undefined
  /** Row of the result at which the part begins. */
  readonly firstRow: number
  readonly outputs: number
}

function carryRows({ stored, rowOrder, firstRow, outputs }: CarriedPart, format: BlocksFormat, room: BlocksRoom): void {
  const { info, shape, bytes } = stored
  const codec = blockCodec(info.encoding)
  const inputs = shape[1] ?? 0
  if (codec === undefined || inputs === 0) return
  const rows = rowOrder?.length ?? shape[0] ?? 0
  const corrections = new Float32Array(room.corrections === undefined ? 0 : ROWS_AT_A_TIME * room.blocks)
  const into = {
    values: new Int32Array(room.values.buffer, room.values.byteOffset, room.values.byteLength >> 2),
    scales: room.scales,
    corrections,
  }
  const carryRow =
    directRows(info.encoding, format, bytes) ?? generalRows(codec, format, { stored: { info, shape, bytes }, values: room.values })
  for (let first = 0; first < rows; first += ROWS_AT_A_TIME) {
    const count = Math.min(ROWS_AT_A_TIME, rows - first)
    for (let row = 0; row < count; row++) {
      const place = { stored: rowOrder?.[first + row] ?? first + row, output: firstRow + first + row, stripRow: row, blocks: room.blocks }
      carryRow(place, into)
    }
    if (room.corrections !== undefined)
      turnStrip(corrections, count, room.blocks, room.corrections, { outputs, firstRow: firstRow + first })
  }
}

/** Any encoding: the quants of a row are taken apart, counted from the format's zero point, and put together again. */
function generalRows(codec: BlockCodec, format: BlocksFormat, { stored, values }: { stored: StoredTensor; values: Uint8Array }) {
  const { info, shape, bytes } = stored
  const inputs = shape[1] ?? 0
  const layout = layoutOf(info.encoding)
  const blocksInRow = inputs / layout.elements
  const unpacked = roomFor(codec, inputs)
  const shift = quantShift(codec, format)
  return (row: RowToCarry, into: CarriedRows): void => {
    codec.unpack(bytes, row.stored * blocksInRow * layout.bytes, blocksInRow, unpacked)
    if (format.bits === 8) shiftBytes(unpacked.quants, shift, values, row.output * inputs)
    else pairNibbles(unpacked.quants, shift, values, (row.output * inputs) / 2)
    spreadScales(codec, unpacked, format, row, into)
  }
}

/** Corrections lie [blocks, outputs]: a strip of rows is turned at once, because single ones would each touch another cache line. */
function turnStrip(
  strip: Float32Array,
  rows: number,
  blocks: number,
  into: Float32Array,
  { outputs, firstRow }: { readonly outputs: number; readonly firstRow: number },
): void {
  for (let block = 0; block < blocks; block++) {
    const to = block * outputs + firstRow
    for (let row = 0; row < rows; row++) into[to + row] = strip[row * blocks + block] ?? 0
  }
}

/** What is added to a quant so that it is counted from the format's zero point; 0..15 in 4 bits cannot be shifted and takes a correction instead. */
function quantShift(codec: BlockCodec, format: BlocksFormat): number {
  if (format.bits === 8) return 128
  return codec.fillsNibble ? 0 : 8
}

function shiftBytes(quants: Int8Array, shift: number, values: Uint8Array, at: number): void {
  for (let i = 0; i < quants.length; i++) values[at + i] = (quants[i] ?? 0) + shift
}

function pairNibbles(quants: Int8Array, shift: number, values: Uint8Array, at: number): void {
  for (let i = 0; i < quants.length; i += 2) values[at + (i >> 1)] = ((quants[i] ?? 0) + shift) | (((quants[i + 1] ?? 0) + shift) << 4)
}

/** Scales and corrections of one row; groups larger than the format's blocks are repeated. */
function spreadScales(
  codec: BlockCodec,
  { scales, minima }: UnpackedBlocks,
  format: BlocksFormat,
  { output, stripRow, blocks }: RowToCarry,
  into: CarriedRows,
): void {
  const repeat = codec.groupSize / format.blockSize
  const offset = format.bits === 4 && codec.fillsNibble ? 8 : 0
  for (let block = 0; block < blocks; block++) {
    const group = Math.floor(block / repeat)
    const scale = scales[group] ?? 0
    into.scales[output * blocks + block] = scale
    if (format.hasMinima) into.corrections[stripRow * blocks + block] = (codec.hasMinima ? (minima[group] ?? 0) : 0) + offset * scale
  }
}
