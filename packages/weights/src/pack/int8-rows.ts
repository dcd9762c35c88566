import type { LinearFormat, PackedLinear } from '@foretoken/tensor'
import { WeightsFormatError } from '../errors.ts'
import type { RowSource } from './row-source.ts'

export type Int8RowsFormat = Extract<LinearFormat, { kind: 'int8-rows' }>

/** Rows that are quantised and turned together: 64 bytes are one cache line of the result. */
const ROWS_AT_A_TIME = 64
/** Below this a row counts as zero: its scale would be a subnormal number, too coarse to divide by. */
const LEAST_MAGNITUDE = 2 ** -100

/**
 * Packs into `int8-rows`: one scale per output, the greatest magnitude of a row becomes ±127, the rest the nearest step (error at most half a step).
 *
 * @throws {WeightsFormatError} when a row holds NaN or an infinity
 */
export function packInt8Rows(source: RowSource, format: Int8RowsFormat): PackedLinear {
  const { outputs, inputs } = source
  if (source.turned !== undefined) return packTurned(source, source.turned(), format)
  const values = new Uint8Array(inputs * outputs)
  // a power of two as the distance of rows would put all of them into the same few lines of the cache
  const stride = Math.ceil(inputs / 64) * 64 + 64
  // taking 128 away from a byte flips its highest bit
  const flipped = format.isSigned ? 128 : 0
  const scales = new Float32Array(outputs)
  const rows = new Float32Array(ROWS_AT_A_TIME * inputs)
  const bits = new Int32Array(rows.buffer)
  const steps = new Uint8Array(ROWS_AT_A_TIME * stride)
  // views cost more than a row of numbers: each is made once
  const views = Array.from({ length: Math.min(ROWS_AT_A_TIME, outputs) }, (_, row) => ({
    values: rows.subarray(row * inputs, (row + 1) * inputs),
    steps: steps.subarray(row * stride, (row + 1) * stride),
    words: new Int32Array(steps.buffer, row * stride, stride >> 2),
  }))
  for (let first = 0; first < outputs; first += ROWS_AT_A_TIME) {
    const count = Math.min(ROWS_AT_A_TIME, outputs - first)
    source.readRows(first, count, rows)
    for (const [row, view] of views.entries()) {
      if (row === count) break
      const greatest = greatestMagnitude(bits, row * inputs, inputs)
      if (!Number.isFinite(greatest)) throw notFinite(source, first + row)
      const scale = greatest < LEAST_MAGNITUDE ? 0 : Math.fround(greatest / 127)
      scales[first + row] = scale
      roundToSteps(view, scale === 0 ? 0 : 1 / scale, flipped)
    }
    const strip = { steps, stride, count, inputs }
    if (count % 4 === 0 && outputs % 4 === 0) turnWords(strip, values, { outputs, first })
    else turnBytes(strip, values, { outputs, first })
  }
  return { format, outputs, inputs, parts: { values: format.isSigned ? new Int8Array(values.buffer) : values, scales } }
}

/** The same of a weight that is turned already: the scale of an output runs down a column. */
function packTurned(source: RowSource, turned: Float32Array, format: Int8RowsFormat): PackedLinear {
  const { outputs, inputs } = source
  const bits = new Int32Array(turned.buffer, turned.byteOffset, turned.length)
  const greatest = new Int32Array(outputs)
  for (let at = 0; at < bits.length; at += outputs) {
    for (let output = 0; output < outputs; output++) {
      const magnitude = (bits[at + output] ?? 0) & 0x7fffffff
      if (magnitude > (greatest[output] ?? 0)) greatest[output] = magnitude
    }
  }
  const scales = new Float32Array(outputs)
  const inverses = new Float64Array(outputs)
  for (const [output, magnitude] of new Float32Array(greatest.buffer).entries()) {
    if (!Number.isFinite(magnitude)) throw notFinite(source, output)
    scales[output] = magnitude < LEAST_MAGNITUDE ? 0 : magnitude / 127
    inverses[output] = scales[output] === 0 ? 0 : 1 / (scales[output] ?? 1)
  }
  const flipped = format.isSigned ? 128 : 0
  const values = new Uint8Array(inputs * outputs)
  for (let at = 0; at < values.length; at += outputs) {
    for (let output = 0; output < outputs; output++) {
      values[at + output] = (((turned[at + output] ?? 0) * (inverses[output] ?? 0) + 128.5) | 0) ^ flipped
    }
  }
  return { format, outputs, inputs, parts: { values: format.isSigned ? new Int8Array(values.buffer) : values, scales } }
}

/** The error for a weight that no integer format can express. */
export function notFinite(source: RowSource, row: number): WeightsFormatError {
  return new WeightsFormatError({ ...source.placeOf(row), found: 'NaN or an infinity among the weights', expected: 'finite numbers' })
}

/** A float and its bits. */
const oneFloat = new Float32Array(1)
const oneWord = new Int32Array(oneFloat.buffer)

/**
 * The greatest magnitude of a run; infinite or NaN when one of its elements is not finite. Floats without a sign are in the order of their bits.
 *
 * @param bits  the floats as words
 */
export function greatestMagnitude(bits: Int32Array, start: number, count: number): number {
  let greatest = 0
  for (let i = start; i < start + count; i++) {
    const magnitude = (bits[i] ?? 0) & 0x7fffffff
    if (magnitude > greatest) greatest = magnitude
  }
  oneWord[0] = greatest
  return oneFloat[0] ?? 0
}

interface RowView {
  readonly values: Float32Array
  readonly steps: Uint8Array
  /** The steps, four at a time. */
  readonly words: Int32Array
}

/**
 * Nearest multiples of the step, stored with 128 added (truncation after adding a half rounds, since the sum is positive). Four of them are one store: 0.8 ns
 * a weight instead of 1.4.
 *
 * @param flipped  the bit that signed steps have turned over
 */
function roundToSteps({ values, steps, words }: RowView, inverse: number, flipped: number): void {
  const flippedWord = flipped * 0x01010101
  const whole = values.length - (values.length % 4)
  for (let i = 0, word = 0; i < whole; i += 4, word++) {
    const a = ((values[i] ?? 0) * inverse + 128.5) | 0
    const b = ((values[i + 1] ?? 0) * inverse + 128.5) | 0
    const c = ((values[i + 2] ?? 0) * inverse + 128.5) | 0
    const d = ((values[i + 3] ?? 0) * inverse + 128.5) | 0
    words[word] = (a | (b << 8) | (c << 16) | (d << 24)) ^ flippedWord
  }
  for (let i = whole; i < values.length; i++) steps[i] = (((values[i] ?? 0) * inverse + 128.5) | 0) ^ flipped
}

interface Strip {
  /** [count rows, stride] */
  readonly steps: Uint8Array
  readonly stride: number
  readonly count: number
  readonly inputs: number
}

interface StripPlace {
  readonly outputs: number
  /** First row of the strip. */
  readonly first: number
}

/** Writes a strip as columns of [inputs, outputs], four rows by four inputs at a time in words: 0.4 ns a weight instead of 1.5. */
function turnWords({ steps, stride, count, inputs }: Strip, values: Uint8Array, { outputs, first }: StripPlace): void {
  const from = new Int32Array(steps.buffer)
  const to = new Int32Array(values.buffer)
  const [rowWords, lineWords] = [stride >> 2, outputs >> 2]
  const whole = inputs - (inputs % 4)
  for (let input = 0; input < whole; input += 4) {
    let at = input * lineWords + (first >> 2)
    for (let row = 0, word = input >> 2; row < count; row += 4, word += 4 * rowWords, at++) {
      const a = from[word] ?? 0
      const b = from[word + rowWords] ?? 0
      const c = from[word + 2 * rowWords] ?? 0
      const d = from[word + 3 * rowWords] ?? 0
      // pairs of bytes first: even and odd inputs of two rows
      const evenAB = (a & 0x00ff00ff) | ((b & 0x00ff00ff) << 8)
      const evenCD = (c & 0x00ff00ff) | ((d & 0x00ff00ff) << 8)
      const oddAB = ((a >>> 8) & 0x00ff00ff) | (b & 0xff00ff00)
      const oddCD = ((c >>> 8) & 0x00ff00ff) | (d & 0xff00ff00)
      to[at] = (evenAB & 0xffff) | (evenCD << 16)
      to[at + lineWords] = (oddAB & 0xffff) | (oddCD << 16)
      to[at + 2 * lineWords] = (evenAB >>> 16) | (evenCD & 0xffff0000)
      to[at + 3 * lineWords] = (oddAB >>> 16) | (oddCD & 0xffff0000)
    }
  }
  for (let input = whole; input < inputs; input++) turnInput({ steps, stride, count, inputs }, values, { outputs, first }, input)
}

/** The same byte by byte, for numbers of rows that words do not fit. */
function turnBytes(strip: Strip, values: Uint8Array, place: StripPlace): void {
  for (let input = 0; input < strip.inputs; input++) turnInput(strip, values, place, input)
}

function turnInput({ steps, stride, count }: Strip, values: Uint8Array, { outputs, first }: StripPlace, input: number): void {
  const to = input * outputs + first
  for (let row = 0; row < count; row++) values[to + row] = steps[row * stride + input] ?? 0
}
