/**
 * The encodings that most files have (Q4_0, Q4_1, Q8_0), carried over in words of 32 bits, without taking their quants apart: three to six times as quick
 * as the general way (33 million weights: Q4_1 28 ms instead of 91, Q4_0 16 and 100, Q8_0 28 and 105), which matters where a model has billions of them.
 *
 * Four bits: a word of the file holds the elements i to i + 3 in its low nibbles and i + 16 to i + 19 in its high ones; two words of low nibbles become one word
 * of neighbours, and so do two of high ones. The nibbles themselves stay: both formats count from 0 to 15. Eight bits: 128 is added to a signed byte by
 * turning over its highest bit. Words are little-endian, as on every machine that typed arrays are used on.
 */
import { floatTable } from '../decode/small-floats.ts'
import type { TensorEncoding } from '../weight-store.ts'
import type { BlocksFormat } from './blocks.ts'

/** Where the parts of rows go. */
export interface CarriedRows {
  /** Packed quants of all rows, as words. */
  readonly values: Int32Array
  /** [outputs, blocks] */
  readonly scales: Float32Array
  /** [strip of rows, blocks]; empty where the format has no minima. */
  readonly corrections: Float32Array
}

export interface RowToCarry {
  /** Row in the file. */
  readonly stored: number
  /** Row of the result. */
  readonly output: number
  /** Row of the strip of corrections. */
  readonly stripRow: number
  readonly blocks: number
}

type CarryRow = (row: RowToCarry, into: CarriedRows) => void

/** How a row of this encoding is carried into this format; undefined where only the general way does it. */
export function directRows(encoding: TensorEncoding, format: BlocksFormat, bytes: Uint8Array): CarryRow | undefined {
  if (format.blockSize !== 32) return undefined
  const { bits, hasMinima } = format
  if (encoding === 'Q4_1' && bits === 4 && hasMinima) return carryQ4_1(bytes)
  if (encoding === 'Q4_0' && bits === 4 && !hasMinima) return carryQ4_0(bytes)
  if (encoding === 'Q8_0' && bits === 8 && !hasMinima) return carryQ8_0(bytes)
  return undefined
}

/** Five words: scale and minimum, four of nibbles. */
function carryQ4_1(bytes: Uint8Array): CarryRow {
  const half = floatTable('F16')
  const { buffer, byteOffset, byteLength } = aligned(bytes)
  const words = new Int32Array(buffer, byteOffset, byteLength >> 2)
  return ({ stored, output, stripRow, blocks }, { values, scales, corrections }) => {
    let from = stored * blocks * 5
    let to = output * blocks * 4
    for (let block = 0; block < blocks; block++, from += 5, to += 4) {
      const factors = words[from] ?? 0
      const scale = half[factors & 0xffff] ?? 0
      scales[output * blocks + block] = scale
      corrections[stripRow * blocks + block] = (half[factors >>> 16] ?? 0) + 8 * scale
      const [a, b, c, d] = [words[from + 1] ?? 0, words[from + 2] ?? 0, words[from + 3] ?? 0, words[from + 4] ?? 0]
      values[to] = neighbours(a) | (neighbours(b) << 16)
      values[to + 1] = neighbours(c) | (neighbours(d) << 16)
      values[to + 2] = neighbours(a >>> 4) | (neighbours(b >>> 4) << 16)
      values[to + 3] = neighbours(c >>> 4) | (neighbours(d >>> 4) << 16)
    }
  }
}

/** Nine half words: the scale, eight of nibbles. */
function carryQ4_0(bytes: Uint8Array): CarryRow {
  const half = floatTable('F16')
  const { buffer, byteOffset, byteLength } = aligned(bytes)
  const halves = new Uint16Array(buffer, byteOffset, byteLength >> 1)
  return ({ stored, output, blocks }, { values, scales }) => {
    let from = stored * blocks * 9
    let to = output * blocks * 4
    for (let block = 0; block < blocks; block++, from += 9, to += 4) {
      scales[output * blocks + block] = half[halves[from] ?? 0] ?? 0
      for (let pair = 0; pair < 2; pair++) {
        const at = from + 1 + 4 * pair
        const a = (halves[at] ?? 0) | ((halves[at + 1] ?? 0) << 16)
        const b = (halves[at + 2] ?? 0) | ((halves[at + 3] ?? 0) << 16)
        values[to + pair] = neighbours(a) | (neighbours(b) << 16)
        values[to + pair + 2] = neighbours(a >>> 4) | (neighbours(b >>> 4) << 16)
      }
    }
  }
}

/** Seventeen half words: the scale, sixteen of signed bytes. */
function carryQ8_0(bytes: Uint8Array): CarryRow {
  const half = floatTable('F16')
  const { buffer, byteOffset, byteLength } = aligned(bytes)
  const halves = new Uint16Array(buffer, byteOffset, byteLength >> 1)
  return ({ stored, output, blocks }, { values, scales }) => {
    let from = stored * blocks * 17
    let to = output * blocks * 8
    for (let block = 0; block < blocks; block++, from += 17, to += 8) {
      scales[output * blocks + block] = half[halves[from] ?? 0] ?? 0
      for (let word = 0; word < 8; word++) {
        const at = from + 1 + 2 * word
        values[to + word] = ((halves[at] ?? 0) | ((halves[at + 1] ?? 0) << 16)) ^ 0x80808080
      }
    }
  }
}

/** The low nibbles of four bytes as two bytes. */
function neighbours(word: number): number {
  const low = word & 0x0f0f0f0f
  const paired = low | (low >>> 4)
  return (paired & 0xff) | ((paired >>> 8) & 0xff00)
}

/** Bytes that begin at a whole word: views into files may not. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
}
