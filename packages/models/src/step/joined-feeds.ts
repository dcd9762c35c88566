/**
 * The masks of a step of several sequences, one row of each: those that each has alone, side by side in its slot. Rows are fed from the earliest
 * that any of them is fed to the last, and everything that a sequence has not got, or is not fed alone, is hidden from it.
 */
import { tensor } from '@foretoken/tensor'
import type { MaskKind } from '../decoder/decoder.ts'
import { HIDDEN, type KindFeeds, type MaskFeeds, pastFed, type SharedArrays } from './attention-feeds.ts'

/** Rows [start, cut) of all slots are the past, none where start is cut; of each slot's rows since its own cut `tail` are fed. */
export interface JoinedRange {
  readonly start: number
  readonly cut: number
  readonly tail: number
}

export interface JoinedFeeds extends MaskFeeds {
  readonly range: JoinedRange
}

/** @param members  what each sequence is fed alone, for one row; slots that none of them has see their own row only */
export function joinKindFeeds(
  kind: MaskKind,
  members: readonly { readonly slot: number; readonly feeds: KindFeeds }[],
  slots: number,
  shared: SharedArrays,
): JoinedFeeds {
  const ranges = members.map(({ feeds }) => feeds.range)
  const withPast = ranges.filter(({ start, cut }) => cut > start)
  const cut = withPast.reduce((most, range) => Math.max(most, range.cut), 0)
  const start = withPast.reduce((least, range) => Math.min(least, range.start), cut)
  const tail = ranges.reduce((most, range) => Math.max(most, range.length - range.cut), 0)
  const { strands } = kind
  const past = pastFed(kind, { start, cut }) / strands // of a strand
  const fresh = tail + 1

  const [heads = 1, pastRows = 1] = members[0]?.feeds.pastBias.dims.slice(-3) ?? []
  const newRows = members[0]?.feeds.newBias.dims.at(-2) ?? 1
  const pastBias = new Float32Array(strands * slots * heads * pastRows * past).fill(HIDDEN)
  const newBias = new Float32Array(slots * heads * newRows * fresh).fill(HIDDEN)
  for (let row = 0; row < slots * heads * newRows; row++) newBias[row * fresh + tail] = 0
  for (const { slot, feeds } of members) {
    const { range } = feeds
    const ownPast = (range.cut - range.start) / strands
    for (let strand = 0; ownPast > 0 && strand < strands; strand++) {
      for (let row = 0; row < heads * pastRows; row++) {
        const from = (strand * heads * pastRows + row) * ownPast
        const to = ((strand * slots + slot) * heads * pastRows + row) * past + (range.start - start) / strands
        pastBias.set(feeds.pastBias.data.subarray(from, from + ownPast), to)
      }
    }
    const ownTail = range.length - range.cut
    for (let row = 0; row < heads * newRows; row++) {
      const own = feeds.newBias.data.subarray(row * (ownTail + 1), (row + 1) * (ownTail + 1))
      const to = (slot * heads * newRows + row) * fresh
      newBias.set(own.subarray(0, ownTail), to)
      newBias[to + tail] = own[ownTail] ?? 0
    }
  }
  return {
    range: { start, cut, tail },
    pastBias: tensor('float32', [...(strands === 1 ? [] : [strands]), slots, heads, pastRows, past], pastBias),
    newBias: tensor('float32', [...(strands === 1 ? [] : [1]), slots, heads, newRows, fresh], newBias),
    pastOnes: tensor('float32', [past, 1], shared.ones(past)),
    newOnes: tensor('float32', [fresh, 1], shared.ones(fresh)),
  }
}
