/** Ranges of code points as sequences of byte ranges. Surrogates are no characters and are left out. */
import type { CodePointRange } from './expression.ts'

export type ByteRange = readonly [low: number, high: number]

const SURROGATES: CodePointRange = [0xd800, 0xdfff]
/** Last code point of each length. */
const LAST_OF_LENGTH = [0x7f, 0x7ff, 0xffff, 0x10ffff]

/** Each result matches by itself: one byte range for each byte of a character. */
export function utf8Sequences(ranges: readonly CodePointRange[]): ByteRange[][] {
  const sequences: ByteRange[][] = []
  for (const [low, high] of ranges) {
    addRange(low, Math.min(high, SURROGATES[0] - 1), sequences)
    addRange(Math.max(low, SURROGATES[1] + 1), high, sequences)
  }
  return sequences
}

function addRange(low: number, high: number, sequences: ByteRange[][]): void {
  let from = low
  for (const last of LAST_OF_LENGTH) {
    if (from > high) return
    if (from > last) continue
    addOfOneLength(encode(from), encode(Math.min(high, last)), [], sequences)
    from = last + 1
  }
}

/** Splits where the first bytes differ, so that the rest of each part is independent of them. */
function addOfOneLength(low: readonly number[], high: readonly number[], before: readonly ByteRange[], sequences: ByteRange[][]): void {
  const [first = 0, ...lowRest] = low
  const [last = 0, ...highRest] = high
  if (lowRest.length === 0) {
    sequences.push([...before, [first, last]])
    return
  }
  if (first === last) {
    addOfOneLength(lowRest, highRest, [...before, [first, first]], sequences)
    return
  }
  const least = lowRest.map(() => 0x80)
  const most = lowRest.map(() => 0xbf)
  const cutsLow = lowRest.some((byte) => byte !== 0x80)
  const cutsHigh = highRest.some((byte) => byte !== 0xbf)
  if (cutsLow) addOfOneLength(lowRest, most, [...before, [first, first]], sequences)
  const middleLow = cutsLow ? first + 1 : first
  const middleHigh = cutsHigh ? last - 1 : last
  if (middleLow <= middleHigh) addOfOneLength(least, most, [...before, [middleLow, middleHigh]], sequences)
  if (cutsHigh) addOfOneLength(least, highRest, [...before, [last, last]], sequences)
}

function encode(codePoint: number): number[] {
  if (codePoint <= 0x7f) return [codePoint]
  if (codePoint <= 0x7ff) return [0xc0 | (codePoint >> 6), 0x80 | (codePoint & 0x3f)]
  if (codePoint <= 0xffff) return [0xe0 | (codePoint >> 12), 0x80 | ((codePoint >> 6) & 0x3f), 0x80 | (codePoint & 0x3f)]
  return [0xf0 | (codePoint >> 18), 0x80 | ((codePoint >> 12) & 0x3f), 0x80 | ((codePoint >> 6) & 0x3f), 0x80 | (codePoint & 0x3f)]
}
