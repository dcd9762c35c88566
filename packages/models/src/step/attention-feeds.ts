/**
 * What a step feeds to the layers of one mask kind: where the cached rows are cut, which of them are fed at all, and the biases that
 * hide the rest. The past is cut at multiples of BLOCK so that a row's sums associate in the same way in every step
 * (`../blocks/attention.ts`); layers with a window get only the blocks that reach into it.
 */

import type { KvCache } from '@foretoken/kv-cache'
import { type Tensor, tensor } from '@foretoken/tensor'
import type { MaskKind } from '../decoder/decoder.ts'
import type { Sees } from './visibility.ts'

/** One block of the runtime's matrix product along the summed dimension. */
export const BLOCK = 256

/** Added to a score that must not count: its exponential is exactly zero. */
export const HIDDEN = -1e9

export interface RowRange {
  /** Cached rows [start, cut) are the past; when there are none, one hidden row stands in. */
  readonly start: number
  readonly cut: number
  /** Cached rows [cut, length) are the tail. */
  readonly length: number
}

export interface KindFeeds extends MaskFeeds {
  readonly range: RowRange
}

export interface MaskFeeds {
  /** [slots, 1 or kvHeads, 1 or group * steps, past], with strands [strands, …, past / strands], and [slots, 1 or kvHeads, group * steps, tail + steps] */
  readonly pastBias: Tensor<'float32'>
  readonly newBias: Tensor<'float32'>
  readonly pastOnes: Tensor
  readonly newOnes: Tensor
}

/** Arrays that every step reads and none changes, grown when a longer one is needed. */
export interface SharedArrays {
  zeros(length: number): Float32Array<ArrayBuffer>
  /** Bits of zeros in float16. */
  halfZeros(length: number): Uint16Array<ArrayBuffer>
  ones(length: number): Float32Array
}

export function sharedArrays(): SharedArrays {
  const grown = (fill: number) => {
    let array = new Float32Array(0)
    return (length: number): Float32Array<ArrayBuffer> => {
      if (array.length < length) array = new Float32Array(Math.max(length, 2 * array.length)).fill(fill)
      return array.subarray(0, length)
    }
  }
  let half = new Uint16Array(0)
  const halfZeros = (length: number): Uint16Array<ArrayBuffer> => {
    if (half.length < length) half = new Uint16Array(Math.max(length, 2 * half.length))
    return half.subarray(0, length)
  }
  return { zeros: grown(0), ones: grown(1), halfZeros }
}

/** @param positions  [steps] of the new rows */
export function kindFeeds(
  kind: MaskKind,
  cache: KvCache,
  positions: Int32Array,
  sees: Sees,
  isPlainRow: boolean,
  shared: SharedArrays,
): KindFeeds {
  const range = rowRange(kind, cache, positions)
  const steps = positions.length
  const past = pastFed(kind, range)
  const fresh = range.length - range.cut + steps
  return {
    range,
    pastBias: dealt(
      kind,
      withAlibi(kind, pastBias(kind, cache, positions, range, shared), positions, (column) => cache.positions[range.start + column]),
    ),
    newBias: asOneStrand(
      kind,
      withAlibi(kind, newBias(kind, cache, positions, sees, isPlainRow, range, shared), positions, (column) =>
        column < range.length - range.cut ? cache.positions[range.cut + column] : positions[column - (range.length - range.cut)],
      ),
    ),
    pastOnes: tensor('float32', [past / kind.strands, 1], shared.ones(past / kind.strands)),
    newOnes: tensor('float32', [fresh, 1], shared.ones(fresh)),
  }
}

/** Rows that are fed as the past: hidden ones stand in, one for each strand, where there are none. */
export function pastFed({ strands }: Pick<MaskKind, 'strands'>, { start, cut }: Pick<RowRange, 'start' | 'cut'>): number {
  return Math.max(cut - start, strands)
}

/** [1, heads, rows, past] by strands: [strands, 1, heads, rows, past / strands], column c at strand c mod strands. */
function dealt({ strands }: MaskKind, bias: Tensor<'float32'>): Tensor<'float32'> {
  if (strands === 1) return bias
  const [, heads = 1, rows = 1, past = 1] = bias.dims
  const each = past / strands
  const dims = [strands, 1, heads, rows, each]
  // one row for all is nothing but zeros, or nothing but hidden
  if (heads * rows === 1) return tensor('float32', dims, bias.data)
  const out = new Float32Array(bias.data.length)
  for (let row = 0, at = 0; row < heads * rows; row++) {
    for (let column = 0; column < past; column++, at++) {
      const strand = column % strands
      out[(strand * heads * rows + row) * each + (column - strand) / strands] = bias.data[at] ?? 0
    }
  }
  return tensor('float32', dims, out)
}

/** The new rows are not dealt out: one strand, where there are several of the past. */
function asOneStrand({ strands }: MaskKind, bias: Tensor<'float32'>): Tensor<'float32'> {
  return strands === 1 ? bias : tensor('float32', [1, ...bias.dims], bias.data)
}

function rowRange(kind: MaskKind, cache: KvCache, positions: Int32Array): RowRange {
  const { length } = cache
  const cut = length - (length % BLOCK)
  if (kind.window === undefined) return { start: 0, cut, length }
  let earliest = Number.MAX_SAFE_INTEGER
  for (const position of positions) earliest = Math.min(earliest, position - kind.window + 1)
  let first = 0
  while (first < cut && (cache.positions[first] ?? 0) < earliest) first++
  return { start: Math.min(first - (first % BLOCK), cut), cut, length }
}

function pastBias(kind: MaskKind, cache: KvCache, positions: Int32Array, range: RowRange, shared: SharedArrays): Tensor<'float32'> {
  const steps = positions.length
  const rows = kind.window === undefined ? 1 : kind.group * steps
  const past = pastFed(kind, range)
  if (range.cut === range.start) return tensor('float32', [1, 1, rows, past], new Float32Array(rows * past).fill(HIDDEN))
  if (kind.window === undefined) return tensor('float32', [1, 1, 1, past], shared.zeros(past))
  const bias = new Float32Array(rows * past)
  for (let row = 0; row < rows; row++) {
    const earliest = (positions[row % steps] ?? 0) - kind.window + 1
    for (let column = 0; column < past; column++) {
      if ((cache.positions[range.start + column] ?? 0) < earliest) bias[row * past + column] = HIDDEN
    }
  }
  return tensor('float32', [1, 1, rows, past], bias)
}

function newBias(
  kind: MaskKind,
  cache: KvCache,
  positions: Int32Array,
  sees: Sees,
  isPlainRow: boolean,
  range: RowRange,
  shared: SharedArrays,
): Tensor<'float32'> {
  const steps = positions.length
  const tail = range.length - range.cut
  const columns = tail + steps
  const rows = kind.group * steps
  if (isPlainRow && kind.window === undefined) return tensor('float32', [1, 1, rows, columns], shared.zeros(rows * columns))
  const bias = new Float32Array(rows * columns)
  for (let row = 0; row < steps; row++) {
    const earliest = kind.window === undefined ? Number.NEGATIVE_INFINITY : (positions[row] ?? 0) - kind.window + 1
    const at = row * columns
    for (let column = 0; column < tail; column++) {
      if ((cache.positions[range.cut + column] ?? 0) < earliest) bias[at + column] = HIDDEN
    }
    for (let other = 0; other < steps; other++) {
      if (!sees(row, other) || (positions[other] ?? 0) < earliest) bias[at + tail + other] = HIDDEN
    }
  }
  // rows of a group repeat: (member, row) in row-major order
  for (let member = 1; member < kind.group; member++) bias.copyWithin(member * steps * columns, 0, steps * columns)
  return tensor('float32', [1, 1, rows, columns], bias)
}

/**
 * The bias of each head: what hides columns, and what its ALiBi adds for the distance between query and key. The key's own bias less
 * that of the query's position, so that near keys have small numbers whatever the length of the text; it depends on these two
 * positions only, and so is the same bits in every step and in a cache that has lost rows.
 *
 * @param bias         [1, 1, 1 or group * steps, columns]
 * @param keyPosition  position of the key in a column; undefined for the row that stands in for an empty past
 * @returns            [1, kvHeads, group * steps, columns]; `bias` itself without ALiBi
 */
function withAlibi(
  { alibi, group, kvHeads }: MaskKind,
  bias: Tensor<'float32'>,
  positions: Int32Array,
  keyPosition: (column: number) => number | undefined,
): Tensor<'float32'> {
  if (alibi === undefined) return bias
  const steps = positions.length
  const rows = group * steps
  const [, , biasRows = 1, columns = 1] = bias.dims
  const sloped = new Float32Array(kvHeads * rows * columns)
  const ofKeys = new Float64Array(columns)
  for (let head = 0, at = 0; head < kvHeads * group; head++) {
    for (let column = 0; column < columns; column++) ofKeys[column] = alibi.keyBias(head, keyPosition(column) ?? 0)
    for (let row = 0; row < steps; row++) {
      const ofQuery = alibi.keyBias(head, positions[row] ?? 0)
      const from = (biasRows === 1 ? 0 : (head % group) * steps + row) * columns
      for (let column = 0; column < columns; column++, at++) {
        sloped[at] = (bias.data[from + column] ?? 0) + ((ofKeys[column] ?? 0) - ofQuery)
      }
    }
  }
  return tensor('float32', [1, kvHeads, rows, columns], sloped)
}
